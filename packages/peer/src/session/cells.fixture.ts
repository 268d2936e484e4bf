// Every cell of the state machine, by running it: sessions in each state × named samples of each input, and what comes of
// them. docs/peering-states.md is written from this (scripts/docs/states.ts), and a test checks that nothing is left out.

import type { Notification } from "../wire/message.ts";
import type { SessionContext } from "./context.ts";
import type { SessionEffect } from "./effect.ts";
import type { Step } from "./handler.ts";
import { messageInput, SESSION_INPUTS, type SessionInput, type SessionInputType } from "./input.ts";
import type { Reason } from "./reason.ts";
import { bytes, config, context, fakeProver, handshake, type Name } from "./session.fixture.ts";
import { newSession, type Session, type SessionConfig, type SessionState, STATES, TIMERS } from "./session.ts";
import { step } from "./step.ts";

/** A session in a state, and whose it is. */
export interface Situation {
  /** "" where the state has only one. */
  readonly when: string;
  readonly session: Session;
  readonly name: Name;
  /** Where it differs from the state's first situation in these alone. */
  readonly only?: readonly SessionInputType[];
}

export interface Sample {
  readonly input: SessionInputType;
  readonly when: string;
  readonly make: (situation: Situation) => SessionInput;
  /** What else is so, in the configuration or by the clock. */
  readonly config?: Partial<SessionConfig>;
  readonly later?: boolean;
}

export interface Cell {
  readonly state: SessionState;
  readonly situation: string;
  readonly input: SessionInputType;
  readonly when: string;
  readonly step: Step;
  /** "" where it stays as it is. */
  readonly next: string;
  readonly does: string;
  readonly reason: string;
}

const NOW = 1_000_000;
const LATER = NOW + 3_600_000;
const full = handshake();
const bare = handshake(context("low", { config: config("low", { capabilities: [] }) }));

export const SITUATIONS: { readonly [S in SessionState]: readonly Situation[] } = {
  idle: [
    {
      when: "waits to start again",
      session: { ...newSession("dialler"), timers: { "idle-hold": NOW + 1 } },
      name: "low",
    },
    { when: "stopped", session: newSession("dialler"), name: "low" },
  ],
  connect: [{ when: "", session: full.connect, name: "low" }],
  active: [
    { when: "with a connection", session: full.waiting, name: "upper" },
    { when: "waits for a connection", session: newSession("acceptor"), name: "upper" },
    { when: "passive", session: { ...newSession("dialler"), state: "active" }, name: "low" },
  ],
  "open-sent": [{ when: "", session: full.openSent, name: "low" }],
  "open-confirm": [
    { when: "dialler", session: full.diallerConfirms, name: "low" },
    { when: "acceptor", session: full.acceptorConfirms, name: "upper" },
  ],
  established: [
    { when: "with all capabilities", session: full.diallerEstablished, name: "low" },
    {
      when: "with none",
      session: bare.diallerEstablished,
      name: "low",
      only: ["route-refresh", "connection-fails", "send"],
    },
  ],
};

const stop = { code: "cease", subcode: "administrative-shutdown" } as const;
const reset = { code: "cease", subcode: "administrative-reset" } as const;
const tooMany = { code: "cease", subcode: "too-many-routes" } as const;

/** The peer's open of the handshake, as it would come now. */
function open(situation: Situation, changes: object = {}): SessionInput {
  const [dialled, answered] = full.messages;
  const theirs = situation.name === "low" ? answered : dialled;
  return messageInput({ ...theirs, ...changes, seq: situation.session.received });
}

function opens(
  when: string,
  changes: object | ((situation: Situation) => object),
  also?: Partial<SessionConfig>,
): Sample {
  const make = (situation: Situation): SessionInput =>
    open(situation, typeof changes === "function" ? changes(situation) : changes);
  return { input: "open", when, make, ...(also && { config: also }) };
}

function proof({ name, session }: Situation, changes: object = {}): SessionInput {
  const [, , dialler, acceptor] = full.messages;
  return messageInput({ ...(name === "low" ? acceptor : dialler), ...changes, seq: session.received } as never);
}

function notification(session: Session, code: string, subcode: string): Notification {
  return { type: "notification", seq: session.received, code, subcode, reason: "so it is" };
}

function message(when: string, make: (seq: number) => Parameters<typeof messageInput>[0]): Sample {
  return { input: make(0).type, when, make: ({ session }) => messageInput(make(session.received)) };
}

const orderly: readonly Sample[] = [
  { input: "manual-start", when: "an address to dial", make: () => ({ type: "manual-start" }) },
  { input: "manual-start", when: "no address", make: () => ({ type: "manual-start" }), config: { passive: true } },
  { input: "manual-stop", when: "a shutdown", make: () => ({ type: "manual-stop", complaint: stop, text: "x" }) },
  { input: "manual-stop", when: "a reset", make: () => ({ type: "manual-stop", complaint: reset, text: "x" }) },
  { input: "going-down", when: "", make: () => ({ type: "going-down" }) },
  {
    input: "automatic-stop",
    when: "for a while",
    make: () => ({ type: "automatic-stop", complaint: tooMany, text: "x", restartAfter: 60_000 }),
  },
  {
    input: "automatic-stop",
    when: "for good",
    make: () => ({ type: "automatic-stop", complaint: tooMany, text: "x", restartAfter: undefined }),
  },
  ...TIMERS.flatMap((timer): Sample[] => {
    const input = `${timer}-timer-expires` as const;
    return [
      { input, when: "due", make: () => ({ type: input }), later: true },
      { input, when: "not due", make: () => ({ type: input }) },
    ];
  }),
  ...(["connection-made", "connection-accepted"] as const).flatMap((input): Sample[] => [
    { input, when: "another than its own", make: () => ({ type: input, connection: "another" }) },
    {
      input,
      when: "its own once more",
      make: ({ session }) => ({ type: input, connection: session.connection ?? "another" }),
    },
  ]),
  { input: "connection-fails", when: "", make: () => ({ type: "connection-fails", text: "reset" }) },
  opens("acceptable", {}),
  opens("no version in common", { versions: [7] }),
  opens("another domain than configured", {}, { peer: { ...config("low").peer, domain: "d-configured" } }),
  opens("our own domain, not configured so", ({ name }) => ({ domain: `d-${name}` })),
  opens("our own id", ({ name }) => ({ node: `n-${name}` })),
  opens("another id than configured", { node: "n-third" }),
  opens("an earlier start than was proved", {}, { peer: { ...config("low").peer, epoch: 9 } }),
  opens("a required capability is missing", {}, { required: ["something"] }),
  opens("a hold time of 1 or 2 s", { holdTime: 2 }),
  opens("a hold time below the least", { holdTime: 3 }, { minHoldTime: 9_000 }),
  opens("a key that is not pinned", { key: bytes("another key") }),
  opens("no secret in common", { secrets: [bytes("another secret")] }),
  { input: "proof", when: "right", make: (situation) => proof(situation) },
  {
    input: "proof",
    when: "right, of an earlier start than was proved",
    make: (situation) => proof(situation),
    config: { peer: { ...config("low").peer, epoch: 9 } },
  },
  { input: "proof", when: "wrong", make: (situation) => proof(situation, { mac: bytes("wrong") }) },
  message("", (seq) => ({ type: "keepalive", seq })),
  message("", (seq) => ({ type: "update", seq, withdraw: [], announce: [] })),
  message("", (seq) => ({ type: "end-of-table", seq })),
  message("", (seq) => ({ type: "route-refresh", seq, phase: "request" })),
  {
    input: "notification",
    when: "a hard one",
    make: ({ session }) => messageInput(notification(session, stop.code, stop.subcode)),
  },
  {
    input: "notification",
    when: "any other",
    make: ({ session }) => messageInput(notification(session, "hold-timer-expired", "unspecified")),
  },
  message("it comes back", (seq) => ({ type: "close", seq, restart: true, reason: "" })),
  message("it does not", (seq) => ({ type: "close", seq, restart: false, reason: "" })),
  {
    input: "malformed-message",
    when: "",
    make: () => ({
      type: "malformed-message",
      complaint: { code: "message-header-error", subcode: "bad-message" },
      text: "x",
    }),
  },
  {
    input: "update-error",
    when: "",
    make: () => ({ type: "update-error", complaint: { code: "update-error", subcode: "malformed-update" }, text: "x" }),
  },
  { input: "collision-dump", when: "", make: () => ({ type: "collision-dump" }) },
  { input: "send", when: "", make: () => ({ type: "send", message: { type: "end-of-table" } }) },
  {
    input: "send",
    when: "a refresh",
    make: () => ({ type: "send", message: { type: "route-refresh", phase: "request" } }),
  },
];

/** One of each message from the peer, with another number than the next one. */
const disorderly = orderly
  .filter((sample, at) => isMessage(sample.input) && at === orderly.findIndex(({ input }) => input === sample.input))
  .map((sample): Sample => {
    const make = (situation: Situation): SessionInput => {
      const input = sample.make(situation);
      return { ...input, message: { ...(input as { message: object }).message, seq: 77 } } as SessionInput;
    };
    return { input: sample.input, when: "out of order", make };
  });

export const SAMPLES: readonly Sample[] = SESSION_INPUTS.flatMap((input) =>
  [...orderly, ...disorderly].filter((sample) => sample.input === input),
);

export function cells(): Cell[] {
  return STATES.flatMap((state) =>
    SAMPLES.flatMap((sample) =>
      SITUATIONS[state]
        .filter(({ only }) => only === undefined || only.includes(sample.input))
        .map((situation) => cell(state, sample, situation)),
    ),
  );
}

function cell(state: SessionState, sample: Sample, situation: Situation): Cell {
  const taken = step(situation.session, sample.make(situation), contextOf(sample, situation));
  const { input, when } = sample;
  const shown = {
    next: next(situation.session, taken.session),
    does: taken.effects.map(effect).join(", "),
    reason: reason(taken.reason),
  };
  return { state, situation: situation.when, input, when, step: taken, ...shown };
}

function contextOf(sample: Sample, { name, when }: Situation): SessionContext {
  const passive = when === "passive" && sample.input !== "manual-start";
  const own = config(name, { passive, ...sample.config });
  const { domain, epoch } = own.peer;
  const peer = { ...config(name).peer, domain, ...(epoch !== undefined && { epoch }) };
  return context(name, { now: sample.later ? LATER : NOW, config: { ...own, peer }, prover: fakeProver() });
}

function next(before: Session, after: Session): string {
  return named(before) === named(after) ? "" : named(after);
}

function named({ state, timers }: Session): string {
  const running = TIMERS.filter((timer) => timers[timer] !== undefined);
  return running.length === 0 ? STATE_NAMES[state] : `${STATE_NAMES[state]} (${running.join(", ")})`;
}

function effect(one: SessionEffect): string {
  switch (one.type) {
    case "dial":
      return "dials";
    case "abandon-dial":
      return "gives the dial up";
    case "send":
      return `sends ${one.message.type}`;
    case "disconnect":
      return "disconnects";
    case "established":
      return "is up";
    case "down":
      return one.graceful ? "is down, routes kept" : "is down, routes gone";
    case "deliver":
      return "hands it to the RIB";
    default:
      return one satisfies never;
  }
}

function reason(one: Reason): string {
  switch (one.kind) {
    case "progress":
      return one.what;
    case "ignored":
      return `ignored: ${one.why}`;
    case "complained":
      return `${one.code}/${one.subcode}`;
    case "was-notified":
      return "was notified";
    case "was-closed":
      return "was closed";
    case "connection-failed":
      return "the connection failed";
    default:
      return one satisfies never;
  }
}

function isMessage(input: SessionInputType): boolean {
  const messages: readonly SessionInputType[] = [
    "open",
    "proof",
    "keepalive",
    "update",
    "end-of-table",
    "route-refresh",
    "notification",
    "close",
  ];
  return messages.includes(input);
}

/** RFC 4271 §8.2.2's. */
export const STATE_NAMES: { readonly [S in SessionState]: string } = {
  idle: "Idle",
  connect: "Connect",
  active: "Active",
  "open-sent": "OpenSent",
  "open-confirm": "OpenConfirm",
  established: "Established",
};
