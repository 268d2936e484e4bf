// A node's own clocks: a monotonic one that starts anew with each start and goes a little wrong, and a wall clock that is off.

import type { At } from "../speaker/speaker-config.ts";

/** What simulated time 0 is, in seconds since 1970. */
const BEGINNING = 1_700_000_000;

export class NodeClock {
  /** Seconds that its wall clock is ahead. */
  skew: number;
  readonly #rate: number;
  #startedAt = 0;
  #base = 0;

  constructor(skew: number, driftPpm: number) {
    this.skew = skew;
    this.#rate = 1 + driftPpm / 1e6;
  }

  /** A process that starts begins to count somewhere. */
  start(now: number, base: number): void {
    this.#startedAt = now;
    this.#base = base;
  }

  at(now: number): At {
    return { now: this.#local(now), wall: Math.floor(BEGINNING + (now / 1000) * this.#rate + this.skew) };
  }

  /** The first simulated millisecond at which its monotonic clock shows that much. */
  when(local: number): number {
    let now = this.#startedAt + Math.max(0, Math.floor((local - this.#base) / this.#rate));
    while (this.#local(now) < local) now++;
    return now;
  }

  #local(now: number): number {
    return Math.floor(this.#base + (now - this.#startedAt) * this.#rate);
  }
}
