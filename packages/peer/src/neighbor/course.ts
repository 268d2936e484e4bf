// The working state of one step of a neighbor: which of its sessions is stepped, and what that means for the others. At most one session
// is established at a time, and while one is, nothing is dialled.

import type { SessionContext } from "../session/context.ts";
import type { SessionEffect } from "../session/effect.ts";
import type { Step } from "../session/handler.ts";
import type { SessionInput } from "../session/input.ts";
import { checkCredentials } from "../session/negotiate.ts";
import { type ConnectionId, newSession, type Session } from "../session/session.ts";
import { step } from "../session/step.ts";
import { dueTimer } from "../session/timers.ts";
import { hasHeld, rested } from "../session/transition.ts";
import type { Open } from "../wire/message.ts";
import type { Complaint } from "../wire/notification-codes.ts";
import { newcomerStays, wasGivenUp } from "./collision.ts";
import { afterSession, type Flapping, STEADY } from "./flapping.ts";
import type { Neighbor, NeighborInput, NeighborStep } from "./neighbor.ts";

/** The most connections that have proved nothing yet: the real peer needs only two round trips. */
const MOST_UNPROVED = 8;
/** The most timers that one tick runs; those that are due at once again wait for the next tick. */
const MOST_TIMERS = 8;
const REJECTED: Complaint = { code: "cease", subcode: "connection-rejected" };

export class Course {
  readonly #context: SessionContext;
  readonly #effects: SessionEffect[] = [];
  readonly #reasons: NeighborStep["reasons"][number][] = [];
  #running: boolean;
  #dialled: Session;
  #accepted: ReadonlyMap<ConnectionId, Session>;
  #current: ConnectionId | undefined;
  #flapping: Flapping;

  constructor({ running, dialled, accepted, current, flapping }: Neighbor, context: SessionContext) {
    this.#context = context;
    this.#running = running;
    this.#dialled = dialled;
    this.#accepted = accepted;
    this.#current = current;
    this.#flapping = flapping;
  }

  end(): NeighborStep {
    const neighbor: Neighbor = {
      running: this.#running,
      dialled: this.#dialled,
      accepted: this.#accepted,
      current: this.#current,
      flapping: this.#flapping,
    };
    return { neighbor, effects: this.#effects, reasons: this.#reasons };
  }

  /** Started by an operator: any backoff ends. */
  start(): void {
    this.#running = true;
    this.#flapping = STEADY;
    if (this.#current === undefined) this.stepDialled({ type: "manual-start" });
  }

  stop(input: Extract<SessionInput, { type: "manual-stop" | "going-down" }>): void {
    this.#running = false;
    this.#stepAll(input);
  }

  limit({ complaint, text, restartAfter }: Extract<NeighborInput, { type: "limit" }>): void {
    this.#stepAll({ type: "automatic-stop", complaint, text, restartAfter });
    if (restartAfter === undefined) this.#running = false;
    else this.#flapping = { ...this.#flapping, refusesUntil: this.#context.now + restartAfter };
  }

  accept(connection: ConnectionId, open: Open): void {
    if (this.#accepted.has(connection) || this.#dialled.connection === connection) return;
    const unproved = [...this.#accepted].filter(([, { state }]) => state !== "established");
    const [oldest] = unproved;
    if (oldest !== undefined && unproved.length >= MOST_UNPROVED) this.#reject(oldest[0], "too many connections");
    this.#setAccepted(connection, newSession("acceptor"));
    this.stepOn(connection, { type: "connection-accepted", connection });
    const refusal = this.#refusal();
    // Only a caller who may know the secret is told the true reason: a stranger must not learn who is configured.
    if (refusal === undefined || !checkCredentials("acceptor", open, this.#context).ok) {
      this.stepOn(connection, { type: "open", message: open });
    } else this.#reject(connection, refusal);
  }

  /** @param connection `undefined`: the dial failed, if one is still under way */
  fail(connection: ConnectionId | undefined, text: string): void {
    if (connection !== undefined) this.stepOn(connection, { type: "connection-fails", text });
    else if (this.#dialled.state === "connect") this.stepDialled({ type: "connection-fails", text });
  }

  send(message: Extract<NeighborInput, { type: "send" }>["message"]): void {
    if (this.#current !== undefined) this.stepOn(this.#current, { type: "send", message });
  }

  tick(): void {
    for (const connection of [undefined, ...this.#accepted.keys()]) {
      for (let count = 0; count < MOST_TIMERS; count++) {
        const session = this.#session(connection);
        const due = session && dueTimer(session, this.#context.now);
        if (due === undefined) break;
        this.#step(connection, due);
      }
    }
  }

  stepDialled(input: SessionInput): void {
    this.#step(undefined, input);
  }

  /** Does nothing where the connection is gone. */
  stepOn(connection: ConnectionId, input: SessionInput): void {
    this.#step(this.#dialled.connection === connection ? undefined : connection, input);
  }

  /** Restores what must hold after every step: while a session is established nothing is dialled; otherwise a dial is due. */
  settle(): void {
    if (!this.#running) return;
    const { state, timers } = this.#dialled;
    if (this.#current !== undefined) {
      // In OpenConfirm the peer may already count it as established, and drop our other connection for it: let it finish.
      const dials =
        state === "connect" || state === "open-sent" || (state === "idle" && timers["idle-hold"] !== undefined);
      if (dials) this.stepDialled({ type: "collision-dump" });
    } else if (state === "idle" && timers["idle-hold"] === undefined) {
      this.#dialled = rested(this.#dialled, this.#context);
    } else if (state === "active" && !this.#context.config.passive) {
      this.stepDialled({ type: "manual-start" });
    }
  }

  /** Why no connection is accepted now; `undefined` where one may be. */
  #refusal(): string | undefined {
    if (!this.#running) return "the peer is stopped";
    return this.#context.now < this.#flapping.refusesUntil ? "the peer is held back" : undefined;
  }

  #reject(connection: ConnectionId, text: string): void {
    this.stepOn(connection, { type: "automatic-stop", complaint: REJECTED, text, restartAfter: undefined });
  }

  #stepAll(input: SessionInput): void {
    for (const connection of [undefined, ...this.#accepted.keys()]) this.#step(connection, input);
  }

  /** @param connection `undefined`: the dialling session */
  #session(connection: ConnectionId | undefined): Session | undefined {
    return connection === undefined ? this.#dialled : this.#accepted.get(connection);
  }

  #step(connection: ConnectionId | undefined, input: SessionInput): void {
    const before = this.#session(connection);
    if (before === undefined) return;
    const taken = step(before, input, this.#context);
    const proved = taken.session.state === "established" && before.state !== "established";
    const incumbent = proved ? this.#incumbent() : undefined;
    if (incumbent === undefined) this.#commit(connection, before, taken, isFailure(input));
    else if (newcomerStays(taken.session, incumbent, this.#context.config.local.node)) {
      this.#supersede(incumbent, taken);
      this.#commit(connection, before, taken, false);
    } else {
      // Treated as never proved: the other side does not count it as established either.
      this.#commit(connection, before, step(before, { type: "collision-dump" }, this.#context), false);
    }
  }

  #supersede(incumbent: Session, { session: newcomer }: Step): void {
    const dumped = step(incumbent, { type: "collision-dump" }, this.#context);
    const gaveUp = wasGivenUp(incumbent, newcomer);
    this.#commit(incumbent.role === "dialler" ? undefined : incumbent.connection, incumbent, dumped, gaveUp);
  }

  #incumbent(): Session | undefined {
    if (this.#current === undefined) return undefined;
    return this.#session(this.#dialled.connection === this.#current ? undefined : this.#current);
  }

  #commit(
    connection: ConnectionId | undefined,
    before: Session,
    { session, effects, reason }: Step,
    failed: boolean,
  ): void {
    this.#effects.push(...effects);
    const told = connection ?? before.connection ?? session.connection;
    this.#reasons.push(told === undefined ? { reason } : { connection: told, reason });
    const isUp = session.state === "established";
    const wasUp = before.state === "established";
    if (isUp && !wasUp) this.#current = session.connection;
    if (wasUp && !isUp) {
      this.#current = undefined;
      if (failed) this.#flapping = afterSession(this.#flapping, hasHeld(before, this.#context), this.#context);
    }
    if (connection === undefined) {
      this.#dialled = session;
      return;
    }
    // Failures are counted for the pair: the next dial goes by the count, whoever dialled this connection.
    const { attempts } = this.#dialled;
    this.#setAccepted(connection, isUp && !wasUp ? { ...session, attempts } : session);
    if (wasUp && !isUp) this.#dialled = { ...this.#dialled, attempts: session.attempts };
  }

  #setAccepted(connection: ConnectionId, session: Session): void {
    const accepted = new Map(this.#accepted);
    if (session.state === "idle") accepted.delete(connection);
    else accepted.set(connection, session);
    this.#accepted = accepted;
  }
}

/** Whether a session ended for another reason than our own decision. */
function isFailure({ type }: SessionInput): boolean {
  return type !== "manual-stop" && type !== "going-down" && type !== "automatic-stop" && type !== "collision-dump";
}
