import { describe, expect, test } from "bun:test";
import { createProver } from "../proof/create-prover.ts";
import { signWith } from "../proof/identity.ts";
import type { Message } from "../wire/message.ts";
import { decodeFrame, encodeFrame } from "../wire/read-message.ts";
import type { SessionContext } from "./context.ts";
import { messageInput } from "./input.ts";
import { bytes, config, context, fakeProver, handshake, type Name, other, run, sent } from "./session.fixture.ts";
import { newSession, type Session } from "./session.ts";
import { step } from "./step.ts";

const identities = { low: signWith(new Uint8Array(32).fill(1)), upper: signWith(new Uint8Array(32).fill(2)) };
const stranger = signWith(new Uint8Array(32).fill(3));
const SECRET = new Uint8Array(32).fill(7);

interface Setup {
  readonly secrets?: readonly Uint8Array[];
  readonly binding?: string;
  readonly identity?: typeof stranger;
}

function node(
  name: Name,
  { secrets = [SECRET], binding = "tls", identity = identities[name] }: Setup = {},
): SessionContext {
  const keys = [identities[other(name)].publicKey];
  const own = config(name);
  let nonces = 0;
  return context(name, {
    nonce: () => Buffer.from(`${name} ${nonces++}`.padEnd(32, "n")).toString("base64url"),
    config: { ...own, local: { ...own.local, key: identity.publicKey }, peer: { ...own.peer, keys } },
    prover: createProver({ secrets, sign: identity.sign, keys, channelBinding: binding }),
  });
}

type Tamper = (message: Message, number: number) => Message;

/** Low dials upper; whatever is said goes through `tamper` and over the wire. What became of both, and what was said. */
function meet(low: SessionContext, upper: SessionContext, tamper: Tamper = (message) => message) {
  const contexts = { low, upper };
  const sessions: Record<Name, Session> = {
    low: run(newSession("dialler"), [{ type: "manual-start" }], low).session,
    upper: run(newSession("acceptor"), [{ type: "connection-accepted", connection: "c" }], upper).session,
  };
  const said: Message[] = [];
  const made = step(sessions.low, { type: "connection-made", connection: "c" }, low);
  sessions.low = made.session;
  let next: { from: Name; message: Message } | undefined = { from: "low", message: sent(made) };
  let reason = made.reason;
  while (next !== undefined) {
    const reading = decodeFrame(encodeFrame(tamper(next.message, said.length)), 100_000);
    if (!reading.ok) throw new Error(reading.text);
    said.push(next.message);
    const to = other(next.from);
    const taken = step(sessions[to], messageInput(reading.message), contexts[to]);
    sessions[to] = taken.session;
    if (taken.reason.kind === "complained") reason = taken.reason;
    next = taken.effects.some(({ type }) => type === "send") ? { from: to, message: sent(taken) } : undefined;
  }
  return { states: [sessions.low.state, sessions.upper.state], sessions, said, reason };
}

const REFUSED = { kind: "complained", code: "open-error", subcode: "authentication-failure" };

test("two nodes with the same secret, who have pinned each other's keys", () => {
  const { states, said } = meet(node("low"), node("upper"));
  expect(states).toEqual(["established", "established"]);
  expect(said.map(({ type, seq }) => `${type} ${seq}`)).toEqual(["open 0", "open 0", "proof 1", "proof 1"]);
});

test("both have the same agreement, each from its own side", () => {
  const { low, upper } = meet(node("low"), node("upper")).sessions;
  expect(low.agreed).toMatchObject({ version: 1, node: "n-upper", domain: "d-upper", holdTime: 90_000 });
  expect(upper.agreed).toMatchObject({ version: 1, node: "n-low", domain: "d-low", holdTime: 90_000 });
  expect(low.agreed?.capabilities).toEqual(upper.agreed?.capabilities as []);
});

describe("a proof fails", () => {
  const wrong = new Uint8Array(32).fill(8);
  test.each<[string, SessionContext, SessionContext]>([
    ["by another secret under the same keys", node("low", { secrets: [wrong] }), node("upper")],
    ["by another key than the pinned one: a node id used twice", node("low", { identity: stranger }), node("upper")],
    ["the acceptor's as well", node("low"), node("upper", { identity: stranger })],
    [
      "over another channel: somebody stands between",
      node("low", { binding: "tls 1" }),
      node("upper", { binding: "tls 2" }),
    ],
  ])("%s", (_what, low, upper) => {
    const { states, reason } = meet(low, upper);
    expect(states).toEqual(["idle", "idle"]);
    expect(reason).toMatchObject(REFUSED);
  });

  const changed =
    (at: number, changes: object): Tamper =>
    (message, number) =>
      number === at ? ({ ...message, ...changes } as Message) : message;
  test.each<[string, Tamper]>([
    ["a capability stripped from the dialler's open", changed(0, { capabilities: [] })],
    ["a capability stripped from the acceptor's open", changed(1, { capabilities: [] })],
    ["a capability added", changed(0, { capabilities: [{ name: "new" }] })],
    ["a version taken away: a downgrade", changed(1, { versions: [1, 2] })],
    ["a shorter hold time", changed(0, { holdTime: 30 })],
    ["an older epoch", changed(0, { epoch: 0 })],
    ["another name", changed(1, { name: "somebody" })],
    ["a member that nobody knows", changed(0, { more: true })],
    ["a wrong mac", changed(2, { mac: Buffer.alloc(32).toString("base64url") })],
    ["a wrong signature", changed(2, { signature: Buffer.alloc(64).toString("base64url") })],
    ["a wrong mac of the acceptor's", changed(3, { mac: Buffer.alloc(32).toString("base64url") })],
    ["a wrong signature of the acceptor's", changed(3, { signature: Buffer.alloc(64).toString("base64url") })],
    ["another secret's id", changed(2, { secret: Buffer.alloc(32).toString("base64url") })],
  ])("%s on its way", (_what, tamper) => {
    const { states, reason } = meet(node("low"), node("upper"), tamper);
    // Whoever is deceived finds out; the acceptor that has proved itself is told so by a notification.
    expect(states).not.toContain("open-confirm");
    expect(states[0]).toBe("idle");
    expect(reason).toMatchObject(REFUSED);
  });

  test("replayed from an earlier connection, with its open: the acceptor's nonce is another", () => {
    const upper = node("upper");
    const recorded = meet(node("low"), upper).said;
    const { states, reason } = meet(node("low"), upper, (message, number) =>
      number === 0 || number === 2 ? (recorded[number] as Message) : message,
    );
    expect(states[1]).toBe("idle");
    expect(reason).toMatchObject(REFUSED);
  });

  test("sent back: the acceptor's is in another role than the dialler's", () => {
    const { states, reason } = meet(node("low"), node("upper"), (message, number) => {
      if (number === 2) mirrored = message;
      return number === 3 ? { ...mirrored, seq: 1 } : message;
    });
    expect(states[0]).toBe("idle");
    expect(reason).toMatchObject(REFUSED);
  });
  let mirrored: Message;

  test("and says to the other side no more than that", () => {
    const { said } = meet(node("low"), node("upper"), changed(2, { mac: Buffer.alloc(32).toString("base64url") }));
    const last = said.at(-1);
    expect(last).toMatchObject({ type: "notification", subcode: "authentication-failure" });
    expect(JSON.stringify(last)).not.toContain("mac");
  });
});

describe("an earlier start than was proved before", () => {
  const started = (name: Name, epoch: number, changes: Parameters<typeof node>[1] = {}): SessionContext => {
    const made = node(name, changes);
    return { ...made, config: { ...made.config, local: { ...made.config.local, epoch } } };
  };
  const knows = (of: SessionContext, epoch: number): SessionContext => ({
    ...of,
    config: { ...of.config, peer: { ...of.config.peer, epoch } },
  });
  const OLD = { kind: "complained", code: "open-error", subcode: "old-epoch" } as const;

  test("of the dialler is refused once it is proved, by an acceptor that has proved nothing then", () => {
    const { states, said, reason } = meet(started("low", 3), knows(node("upper"), 5));
    expect(said.map(({ type }) => type)).toEqual(["open", "open", "proof", "notification"]);
    expect(said[3]).toMatchObject({ code: "open-error", subcode: "old-epoch" });
    expect(JSON.stringify(said[3])).not.toMatch(/\b5\b/);
    expect(reason).toMatchObject({ ...OLD, rewound: { epoch: 3, was: 5 } });
    expect(states).toEqual(["idle", "idle"]);
  });

  test("of the acceptor, too", () => {
    const { states, said } = meet(knows(node("low"), 5), started("upper", 3));
    expect(said.map(({ type }) => type)).toEqual(["open", "open", "proof", "proof", "notification"]);
    expect(states).toEqual(["idle", "idle"]);
  });

  test("claimed by somebody else is answered as any other start is, and says nothing of starts", () => {
    const impostor = { identity: { ...stranger, publicKey: identities.low.publicKey } };
    const answers = [3, 5, 9].map((epoch) => {
      const { said } = meet(started("low", epoch, impostor), knows(node("upper"), 5));
      return said.map(({ type, ...more }) => [type, "subcode" in more ? more.subcode : ""].join(" "));
    });
    expect(answers[0]).toEqual(["open ", "open ", "proof ", "notification authentication-failure"]);
    expect(answers[1]).toEqual(answers[0] as string[]);
    expect(answers[2]).toEqual(answers[0] as string[]);
  });

  test("is told as the peer's own word only where it was said after the later one was known", () => {
    const prover = fakeProver();
    const [low, upper] = [context("low", { prover }), context("upper", { prover })];
    const later = knows(upper, 5);
    const told = (offered: SessionContext): unknown => {
      const { acceptorConfirms, messages } = handshake(low, offered);
      return step(acceptorConfirms, messageInput({ ...messages[2] }), later).reason;
    };
    expect(told(later)).toMatchObject({ ...OLD, rewound: { epoch: 1, was: 5 } });
    // It started again while its proof was on its way.
    expect(told(upper)).toMatchObject(OLD);
    expect(told(upper)).not.toHaveProperty("rewound");
    const { diallerConfirms, messages } = handshake(low, upper);
    const proof = messageInput({ ...messages[3] });
    expect(step(diallerConfirms, proof, knows(low, 5)).reason).not.toHaveProperty("rewound");
    expect(step({ ...diallerConfirms, known: 5 }, proof, knows(low, 5)).reason).toMatchObject({
      ...{ ...OLD, rewound: { epoch: 1, was: 5 } },
    });
  });
});

test("a proof by another of the pair's secrets than the one that was taken", () => {
  const prover = fakeProver([bytes("old"), bytes("next")]);
  const low = context("low", { prover });
  const upper = context("upper", { prover });
  const { acceptorConfirms, diallerConfirms, messages } = handshake(low, upper);
  const exchange = { dialler: messages[0], acceptor: messages[1] };
  const dialler = prover.prove("dialler", exchange, bytes("next"));
  const acceptor = prover.prove("acceptor", exchange, bytes("next"), diallerConfirms.proof);
  expect(prover.verify("dialler", exchange, dialler)).toBe(true);
  expect(prover.verify("acceptor", exchange, acceptor, diallerConfirms.proof)).toBe(true);
  for (const [session, proof, at] of [
    [acceptorConfirms, dialler, upper],
    [diallerConfirms, acceptor, low],
  ] as const) {
    expect(step(session, { type: "proof", message: { type: "proof", seq: 1, ...proof } }, at).reason).toMatchObject(
      REFUSED,
    );
  }
});

test("secrets are rotated without a moment in which the two nodes have none in common", () => {
  const next = new Uint8Array(32).fill(9);
  const steps = [[SECRET], [SECRET, next], [next, SECRET], [next]];
  for (const [at, secrets] of steps.entries()) {
    for (const others of steps.slice(Math.max(at - 1, 0), at + 2)) {
      const { states } = meet(node("low", { secrets }), node("upper", { secrets: others }));
      const common = secrets.some((secret) => others.includes(secret));
      expect(states).toEqual(common ? ["established", "established"] : ["idle", "idle"]);
    }
  }
});

test("neither secrets nor the node's key are in a session, a message or a reason", () => {
  const { sessions, said, reason } = meet(node("low"), node("upper"));
  const all = JSON.stringify([sessions, said, reason]);
  for (const encoding of ["base64url", "base64", "hex"] as const) {
    expect(all).not.toContain(Buffer.from(SECRET).toString(encoding));
    expect(all).not.toContain(Buffer.alloc(32, 1).toString(encoding));
  }
});
