// How many receivers run at once. One that takes long gives its place up and goes on without: were it not so, as many hostile
// ones as there are places would keep everybody else waiting.

import type { Timers } from "@capstan/orchestrator";

const LONG_MS = 250;

export class Places {
  readonly #timers: Timers;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(timers: Timers, most: number) {
    this.#timers = timers;
    this.#free = most;
  }

  /** Takes a place: at once where there is one. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A place is held for as long as something runs: how to give it back. */
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
