// Connections that were dialled to us and have not sent an open yet. Their number and time are bounded, so that a stranger cannot make us
// hold resources.

import type { ConnectionId } from "../session/session.ts";

/**
 * A configured peer needs one round trip. When all places are taken, a connection chosen at random makes room. If it were the oldest,
 * a stranger who dials 64 times within a round trip would keep every peer out; this way it takes many more, and is not certain.
 */
const MOST_WAITING = 64;

interface Waiting {
  readonly until: number;
  readonly binding: string | undefined;
}

export class PendingConnections {
  readonly #waiting = new Map<ConnectionId, Waiting>();
  readonly #openTime: number;
  readonly #random: () => number;

  constructor(openTime: number, random: () => number) {
    this.#openTime = openTime;
    this.#random = random;
  }

  /** @returns the connection that must be closed to make room, if any. */
  enter(connection: ConnectionId, binding: string | undefined, now: number): ConnectionId | undefined {
    const all = this.#waiting.size >= MOST_WAITING ? [...this.#waiting.keys()] : [];
    const crowded = all[Math.floor(this.#random() * all.length)];
    if (crowded !== undefined) this.#waiting.delete(crowded);
    this.#waiting.set(connection, { until: now + this.#openTime, binding });
    return crowded;
  }

  has(connection: ConnectionId): boolean {
    return this.#waiting.has(connection);
  }

  /** It has sent its first message, or is gone. */
  leave(connection: ConnectionId): Waiting | undefined {
    const waiting = this.#waiting.get(connection);
    this.#waiting.delete(connection);
    return waiting;
  }

  /** All wait for the same time, so that the oldest is the first to expire. */
  deadline(): number | undefined {
    for (const { until } of this.#waiting.values()) return until;
    return undefined;
  }

  /** Removes the connections that sent nothing in time. @returns them. */
  expire(now: number): ConnectionId[] {
    const late: ConnectionId[] = [];
    for (const [connection, { until }] of this.#waiting) {
      if (until > now) break;
      late.push(connection);
    }
    for (const connection of late) this.#waiting.delete(connection);
    return late;
  }
}
