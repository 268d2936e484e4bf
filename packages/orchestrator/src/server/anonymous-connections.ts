// Bounds the connections, over WebSockets and iroh, of callers who are not authenticated yet. Each may send only a little, but Bun holds a frame
// until it is whole, and a frame may have megabytes: so their number is bounded too. A caller with a credential is authenticated within
// moments; those that are not, for longer, make room, the oldest first.

import type { SessionBudget } from "../rpc/budget.ts";

/** The most at once. With frames of up to 16 MiB they hold 256 MiB. */
const MOST = 16;
/** How long a connection is safe from making room: a thousand clients that reconnect at once are all authenticated by then. */
const GRACE_MS = 2000;

interface Closable {
  terminate(): void;
}

interface Opened {
  readonly at: number;
  readonly budget: Pick<SessionBudget, "authenticated">;
}

export class AnonymousConnections<Connection extends Closable> {
  readonly #now: () => number;
  /** Oldest first. */
  readonly #connections = new Map<Connection, Opened>();

  /** @param now milliseconds of a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#connections.size;
  }

  opened(connection: Connection, budget: Opened["budget"]): void {
    this.#connections.set(connection, { at: this.#now(), budget });
    if (this.#connections.size <= MOST) return;
    for (const [one, { budget }] of this.#connections) if (budget.authenticated) this.#connections.delete(one);
    const long = this.#now() - GRACE_MS;
    for (const [one, { at }] of this.#connections) {
      if (this.#connections.size <= MOST || at > long) return;
      this.#connections.delete(one);
      one.terminate();
    }
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
  }
}
