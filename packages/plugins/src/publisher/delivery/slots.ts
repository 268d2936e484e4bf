// Bounds how many tasks run at once. A task that takes long gives its slot back and goes on without: otherwise as many slow tasks as there are
// slots would hold up everybody else.

import type { Timers } from "@capstan/orchestrator";

const LONG_MS = 250;

export class Slots {
  readonly #timers: Timers;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(timers: Timers, most: number) {
    this.#timers = timers;
    this.#free = most;
  }

  /** Takes a slot: `undefined` where one is free, otherwise a promise of one. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A task runs in the slot that was taken. Answers a function that gives the slot back, which also happens after `LONG_MS`. */
  held(): () => void {
    let over = false;
    const give = (): void => {
      if (over) return;
      over = true;
      stop();
      this.give();
    };
    const stop = this.#timers.after(LONG_MS, give);
    return give;
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
