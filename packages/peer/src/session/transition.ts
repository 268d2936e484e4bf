// The ways in which a session changes. The states' files say when; how is said here, so that nothing of a connection is
// left behind in a session that has none.

import { backoff } from "../limits/backoff.ts";
import type { Message, Outgoing } from "../wire/message.ts";
import { asLine } from "../wire/names.ts";
import { type Complaint, publicText } from "../wire/notification-codes.ts";
import type { SessionContext } from "./context.ts";
import type { SessionEffect } from "./effect.ts";
import { isGraceful } from "./graceful.ts";
import type { Step } from "./handler.ts";
import type { Reason, Rewound } from "./reason.ts";
import { type ConnectionId, newSession, type Session } from "./session.ts";
import { jittered, without } from "./timers.ts";

/** Characters, RFC 9003: "a longer Shutdown Communication" ends somewhere as well. */
const LONGEST_REASON = 512;

/** The input means nothing in this state. For cells that are the same whatever the input says. */
export function ignores(why: string): (session: Session) => Step {
  return (session) => ignored(session, why);
}

export function ignored(session: Session, why: string): Step {
  return { session, effects: [], reason: { kind: "ignored", why } };
}

export function progress(session: Session, what: string, effects: readonly SessionEffect[] = []): Step {
  return { session, effects, reason: { kind: "progress", what } };
}

/** RFC 4271 §8.2.2, the start events in Idle: a connection is dialled, or awaited where nothing is to be dialled. */
export function start(session: Session, attempts: number, { now, random, config }: SessionContext): Step {
  const idle = { ...newSession(session.role), attempts };
  if (config.passive) return progress({ ...idle, state: "active" }, "waits to be dialled");
  // RFC 4271 §10: jitter on ConnectRetryTimer too.
  const timers = { "connect-retry": now + jittered(config.connectTime, random) };
  return progress({ ...idle, state: "connect", timers }, "dials", [{ type: "dial" }]);
}

/** Numbers a message and sends it. */
export function said(
  session: Session,
  outgoing: Outgoing,
): { session: Session; message: Message; effects: SessionEffect[] } {
  const { type, ...rest } = outgoing;
  const message = { type, seq: session.sent, ...rest } as Message;
  if (session.connection === undefined) return { session, message, effects: [] };
  const effects: SessionEffect[] = [{ type: "send", connection: session.connection, message }];
  return { session: { ...session, sent: session.sent + 1 }, message, effects };
}

/** What becomes of a session that ends. */
export type Afterwards =
  /** It failed: it tries again by itself, later after each failure (RFC 4271 §8.1.1, DampPeerOscillations). */
  | "again"
  /** It was not to be: until a manual start. */
  | "never"
  /** Another one with the peer stays. Nobody failed, so that nothing is counted. */
  | "aside"
  /** Milliseconds. */
  | { readonly after: number | undefined };

interface End {
  readonly reason: Reason;
  readonly afterwards: Afterwards;
  /** To the other side, if there is a connection. */
  readonly farewell?: Outgoing;
}

/** To Idle, whatever the state. */
export function end(session: Session, { reason, afterwards, farewell }: End, context: SessionContext): Step {
  const { connection } = session;
  const effects: SessionEffect[] = [];
  if (session.state === "connect" && reason.kind !== "connection-failed") effects.push({ type: "abandon-dial" });
  if (farewell !== undefined) effects.push(...said(session, farewell).effects);
  if (connection !== undefined && reason.kind !== "connection-failed") effects.push({ type: "disconnect", connection });
  if (session.state === "established" && connection !== undefined) {
    const graceful = session.agreed?.restartTime !== undefined && isGraceful(reason);
    effects.push({ type: "down", connection, graceful, reason });
  }
  return { session: { ...idle(session, afterwards, context), state: "idle" }, effects, reason };
}

function idle(session: Session, afterwards: Afterwards, context: SessionContext): Session {
  const failures = hasHeld(session, context) ? 0 : session.attempts;
  const fresh = newSession(session.role);
  if (afterwards === "never") return fresh;
  if (afterwards === "again") return rested({ ...fresh, attempts: failures + 1 }, context);
  if (afterwards === "aside") return { ...fresh, attempts: failures };
  return rested({ ...fresh, attempts: failures }, context, afterwards.after);
}

/** RFC 4271 §8.1.1's IdleHoldTimer: when an idle session starts again. Who accepts connections never starts one. */
export function rested(session: Session, context: SessionContext, after?: number): Session {
  if (session.role === "acceptor") return session;
  const wait = after ?? backoff(session.attempts, context.config.backoff, context.random);
  return { ...session, timers: { "idle-hold": context.now + wait } };
}

/**
 * Whether it stayed established for a hold time, and for the longest backoff: a hold time may be as short as the peer says.
 * One that breaks sooner counts as a failure more, however often it comes up, so that a peer that flaps a hundred times a
 * minute is not dialled a hundred times a minute.
 */
export function hasHeld({ establishedAt, agreed }: Session, { now, config }: SessionContext): boolean {
  return establishedAt !== undefined && now - establishedAt >= Math.max(agreed?.holdTime ?? 0, config.backoff.last);
}

/** We end it, and say why (RFC 4271 §6). */
export function complain(
  session: Session,
  complaint: Complaint,
  text: string,
  context: SessionContext,
  rewound?: Rewound,
): Step {
  const reason: Reason = { kind: "complained", ...complaint, text, ...(rewound && { rewound }) };
  return end(session, { reason, afterwards: "again", farewell: notification(session, complaint, text) }, context);
}

/** What exactly was wrong, and what an operator has to say of a stop, is for the peer, once it has proved to be it. */
export function notification({ state }: Session, complaint: Complaint, text: string): Outgoing {
  const reason = state === "established" ? text : publicText(complaint);
  return { type: "notification", ...complaint, reason: asLine(reason, LONGEST_REASON) };
}

/** A connection that nobody wants here. RFC 4271 §8.2.2: Idle "refuses all incoming connections"; elsewhere one is enough. */
export function refused(session: Session, connection: ConnectionId): Step {
  if (connection === session.connection) return ignored(session, "it is this session's connection");
  return { ...ignored(session, "no connection is wanted here"), effects: [{ type: "disconnect", connection }] };
}

/** RFC 4271 §8: whatever the peer says restarts the hold timer. */
export function heard(session: Session, { now }: SessionContext): Session {
  const holdTime = session.agreed?.holdTime ?? 0;
  return holdTime === 0 ? session : { ...session, timers: { ...session.timers, hold: now + holdTime } };
}

/** RFC 4271 §8.2.2: whatever we say restarts the keepalive timer. A third of the hold time (§4.4), with jitter (§10). */
export function keptAlive(session: Session, { now, random }: SessionContext): Session {
  const holdTime = session.agreed?.holdTime ?? 0;
  if (holdTime === 0) return { ...session, timers: without(session.timers, "keepalive") };
  return { ...session, timers: { ...session.timers, keepalive: now + jittered(holdTime / 3, random) } };
}
