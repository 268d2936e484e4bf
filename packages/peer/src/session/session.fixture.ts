// Sessions for tests: two nodes that know each other, a prover that needs no cryptography, and what has to be true of a
// session in each state.

import type { ProofValues, Prover, Role } from "../proof/prover.ts";
import type { Message, Open } from "../wire/message.ts";
import type { SessionContext } from "./context.ts";
import type { Step } from "./handler.ts";
import { messageInput, type SessionInput } from "./input.ts";
import { newSession, type Session, type SessionConfig, TIMERS, type Timer } from "./session.ts";
import { step } from "./step.ts";

export const GRACEFUL = { name: "graceful-restart", restartTime: 120, restarting: false };
export const REFRESH = { name: "route-refresh" };

/** Any node's key, secret or nonce, by its name: 32 bytes in base64url as far as their form goes. */
export function bytes(name: string): string {
  return `${Buffer.from(name).toString("base64url").padEnd(42, "_").slice(0, 42)}A`;
}

export const KEYS = { low: bytes("key of n-low"), upper: bytes("key of n-upper") };

/** As `createProver`'s, but that everybody can forge its proofs: over role, secret and every byte of both offers. */
export function fakeProver(secrets: readonly string[] = [bytes("secret")], keys: readonly string[] = []): Prover {
  const proofOf = (role: Role, exchange: object, secret: string, diallers?: ProofValues): ProofValues => ({
    secret,
    mac: Bun.hash(JSON.stringify([role, exchange, secret, diallers ?? null])).toString(36),
    signature: role,
  });
  return {
    secrets,
    prove: proofOf,
    verify: (role, exchange, proof, diallers) =>
      secrets.includes(proof.secret) &&
      (keys.length === 0 || keys.includes(exchange[role].key)) &&
      Bun.deepEquals(proof, proofOf(role, exchange, proof.secret, diallers)),
  };
}

export type Name = "low" | "upper";

export function other(name: Name): Name {
  return name === "low" ? "upper" : "low";
}

/** That node's, with the other one as its peer. */
export function config(name: Name, changes: Partial<SessionConfig> = {}): SessionConfig {
  return {
    local: { node: `n-${name}`, name, domain: `d-${name}`, key: KEYS[name], epoch: 1 },
    peer: { node: `n-${other(name)}`, keys: [KEYS[other(name)]], domain: undefined },
    passive: false,
    holdTime: 90_000,
    minHoldTime: 3_000,
    connectTime: 10_000,
    openTime: 20_000,
    backoff: { first: 1_000, last: 64_000 },
    capabilities: [REFRESH, GRACEFUL],
    required: [],
    ...changes,
  };
}

let nonces = 0;

export function context(name: Name, changes: Partial<SessionContext> = {}): SessionContext {
  return {
    now: 1_000_000,
    random: () => 0,
    nonce: () => bytes(`nonce ${nonces++}`),
    config: config(name),
    prover: fakeProver(),
    ...changes,
  };
}

/** Of a step that sends one message. */
export function sent({ effects }: Pick<Step, "effects">): Message {
  const found = effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
  if (found.length !== 1) throw new Error(`${found.length} messages were sent`);
  return found[0] as Message;
}

export function run(session: Session, inputs: readonly SessionInput[], context: SessionContext): Step {
  let taken: Step = { session, effects: [], reason: { kind: "ignored", why: "nothing happened" } };
  for (const input of inputs) taken = step(taken.session, input, context);
  return taken;
}

export interface Handshake {
  readonly connect: Session;
  readonly openSent: Session;
  readonly waiting: Session;
  readonly diallerConfirms: Session;
  readonly acceptorConfirms: Session;
  readonly diallerEstablished: Session;
  readonly acceptorEstablished: Session;
  /** In the order in which they are said: open, open, proof, proof. */
  readonly messages: readonly [Open, Open, Message, Message];
}

/** A handshake of `low`, who dials, with `upper`: the sessions on its way, and what is said. */
export function handshake(low = context("low"), upper = context("upper")): Handshake {
  const connect = run(newSession("dialler"), [{ type: "manual-start" }], low).session;
  const waiting = run(newSession("acceptor"), [{ type: "connection-accepted", connection: "c" }], upper).session;
  const offered = step(connect, { type: "connection-made", connection: "c" }, low);
  const answered = step(waiting, messageInput(sent(offered)), upper);
  const proved = step(offered.session, messageInput(sent(answered)), low);
  const accepted = step(answered.session, messageInput(sent(proved)), upper);
  const done = step(proved.session, messageInput(sent(accepted)), low);
  return {
    connect,
    waiting,
    openSent: offered.session,
    acceptorConfirms: answered.session,
    diallerConfirms: proved.session,
    acceptorEstablished: accepted.session,
    diallerEstablished: done.session,
    messages: [sent(offered) as Open, sent(answered) as Open, sent(proved), sent(accepted)],
  };
}

/** What is wrong with a session; empty for one in a defined state. Says for each state what it has, and that it has no more. */
export function violations(session: Session): string[] {
  const { state, role, connection, timers, ours, theirs, offeredAt, agreed, proof } = session;
  const { establishedAt, sent, received } = session;
  const found: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) found.push(`${state} (${role}): ${what}`);
  };
  const running = TIMERS.filter((timer) => timers[timer] !== undefined);
  const timersAre = (...expected: Timer[]): void =>
    must(
      Bun.deepEquals(running, expected),
      `has the timers ${running.join(", ") || "none"}, not ${expected.join(", ") || "none"}`,
    );
  const has = (field: string, value: unknown, expected: boolean): void =>
    must((value !== undefined) === expected, `${expected ? "has no" : "has a"} ${field}`);

  must(
    running.every((timer) => Number.isFinite(timers[timer])),
    "has a timer that never comes",
  );
  must(Number.isSafeInteger(session.attempts) && session.attempts >= 0, "has no count of attempts");
  has("time since which it is established", establishedAt, state === "established");
  has("agreement", agreed, state === "open-confirm" || state === "established");
  has("offer of theirs", theirs, state === "open-confirm" || state === "established");
  has("time of their offer", offeredAt, theirs !== undefined);
  must(session.known === undefined || theirs !== undefined, "knows of a peer's start without its offer");
  has("offer of ours", ours, state === "open-sent" || state === "open-confirm" || state === "established");
  has("proof", proof, role === "dialler" && (state === "open-confirm" || state === "established"));
  switch (state) {
    case "idle":
      has("connection", connection, false);
      must(sent === 0 && received === 0, "counts messages");
      if (running.length > 0) timersAre("idle-hold");
      must(role === "dialler" || running.length === 0, "an acceptor starts again");
      break;
    case "connect":
      must(role === "dialler", "an acceptor dials");
      has("connection", connection, false);
      must(sent === 0 && received === 0, "counts messages");
      timersAre("connect-retry");
      break;
    case "active":
      must(role === "acceptor" || connection === undefined, "a dialler that waits to be dialled has a connection");
      must(sent === 0 && received === 0, "has said or heard something");
      timersAre(...(connection === undefined ? [] : (["delay-open"] as const)));
      break;
    case "open-sent":
      must(role === "dialler", "an acceptor offered first");
      has("connection", connection, true);
      must(sent === 1 && received === 0, "has said or heard something else than its open");
      timersAre("hold");
      break;
    case "open-confirm":
      has("connection", connection, true);
      must(sent === (role === "dialler" ? 2 : 1) && received === 1, "has said or heard something else than the offers");
      timersAre("hold");
      break;
    case "established":
      has("connection", connection, true);
      must(sent >= 2 && received >= 2, "has not heard or given a proof");
      timersAre(...(agreed?.holdTime === 0 ? [] : (["hold", "keepalive"] as const)));
      break;
    default:
      must(false, `there is no state ${state satisfies never}`);
  }
  return found;
}
