// Connections of callers who are not known yet, WebSockets and iroh's. What one of them may send before it is somebody's is bounded, but
// Bun holds a frame until it is whole, and a frame may be of megabytes: so there are only so many of them at once. Whoever has a
// credential is known within moments; those that are nobody's for longer make room, the oldest first.

import type { SessionBudget } from "../rpc/budget.ts";

/** At up to 16 MiB each, a quarter of a gigabyte. */
const MOST = 16;
/** A thousand clients that come back at once are all known by then. */
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
