// Connections that were dialled to us and have not said yet whose they are. There are few of them, and none for long: a
// stranger must not be able to make us keep anything.

import type { ConnectionId } from "../session/session.ts";

/**
 * Whoever has a right to be here needs one round trip. Who makes room is by lot: where it is the oldest, somebody who dials 64
 * times in a round trip lets nobody else in; so it takes many times as much, and then it is still not for sure.
 */
const MOST_WAITING = 64;

interface Waiting {
  readonly until: number;
  readonly binding: string | undefined;
}

export class Doorstep {
  readonly #waiting = new Map<ConnectionId, Waiting>();
  readonly #openTime: number;
  readonly #random: () => number;

  constructor(openTime: number, random: () => number) {
    this.#openTime = openTime;
    this.#random = random;
  }

  /** @returns the connection that has to go for it, if any. */
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

  /** It said something, or is gone. */
  leave(connection: ConnectionId): Waiting | undefined {
    const waiting = this.#waiting.get(connection);
    this.#waiting.delete(connection);
    return waiting;
  }

  /** They come in the order in which they have to go. */
  deadline(): number | undefined {
    for (const { until } of this.#waiting.values()) return until;
    return undefined;
  }

  /** Those that said nothing in time; they are forgotten. */
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
