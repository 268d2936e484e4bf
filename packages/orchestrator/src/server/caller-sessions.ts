// The sessions of callers, over any link: counted, bounded until they are authenticated, each with its budget, its callbacks and the public
// object. It knows no sockets.

import { RpcSession, type RpcTarget } from "capnweb";
import type { Fault } from "../fault/fault.ts";
import type { Orchestrator } from "../orchestrator.ts";
import { Turns } from "../pipeline/turns.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { onSendError } from "../rpc/errors.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import type { LiveSession } from "../scope/live-callbacks.ts";
import type { Link, LinkReceiver } from "../transport/link.ts";
import { SessionTransport } from "../transport/session-transport.ts";
import { AnonymousConnections } from "./anonymous-connections.ts";
import type { SessionOptions } from "./session.ts";

export interface CallerSessionsOptions {
  readonly orchestrator: Orchestrator;
  readonly Api: new (session: SessionOptions) => RpcTarget;
  readonly limits: Partial<SessionLimits> | undefined;
  report(error: unknown): void;
}

interface Connection {
  terminate(): void;
}

export class CallerSessions {
  readonly #options: CallerSessionsOptions;
  readonly #anonymous = new AnonymousConnections<Connection>();

  constructor(options: CallerSessionsOptions) {
    this.#options = options;
  }

  /** A connection has come. Until it is authenticated it may be closed to make room. */
  arrived(connection: Connection): CallerSession {
    const budget = new SessionBudget(this.#options.limits);
    this.#anonymous.opened(connection, budget);
    return new CallerSession(this.#options, budget, () => this.#anonymous.closed(connection));
  }
}

/** One caller's session: receives what comes over its link. */
export class CallerSession implements LinkReceiver {
  readonly #options: CallerSessionsOptions;
  readonly #budget: SessionBudget;
  readonly #left: () => void;
  #transport: SessionTransport | undefined;
  #lives: LiveSession | undefined;

  constructor(options: CallerSessionsOptions, budget: SessionBudget, left: () => void) {
    this.#options = options;
    this.#budget = budget;
    this.#left = left;
  }

  /** A frame of so many bytes is coming. @throws FaultError SESSION_BUDGET where it is too large to wait for */
  arriving(bytes: number): void {
    this.#budget.arriving(bytes);
  }

  opened(link: Link): this {
    const { orchestrator, Api, report } = this.#options;
    const { metrics } = orchestrator;
    metrics.meters.sessionsOpen++;
    metrics.meters.sessionsOpened++;
    metrics.watch(this.#budget);
    const { committer: durability, timers } = orchestrator;
    this.#transport = new SessionTransport(link, { budget: this.#budget, durability, timers });
    this.#lives = orchestrator.lives.session(true);
    const main = new Api({ orchestrator, budget: this.#budget, lives: this.#lives, turns: new Turns() });
    new RpcSession(this.#transport, main, { onSendError: (error) => onSendError(error, report) });
    return this;
  }

  received(frame: string): void {
    this.#transport?.received(frame);
  }

  invalid(why: Fault): void {
    this.#transport?.invalid(why);
  }

  closed(code: number, reason: string): void {
    this.left();
    this.#options.orchestrator.metrics.meters.sessionsOpen--;
    this.#transport?.closed(code, reason);
    this.#lives?.end("its session ended");
  }

  /** The connection is over, whether or not it had a session. */
  left(): void {
    this.#left();
  }
}
