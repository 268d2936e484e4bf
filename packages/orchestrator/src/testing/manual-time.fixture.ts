// Time that a test moves: a clock and the timers on it. Nothing passes by itself.

import type { Timers } from "../time/timers.ts";

export const T0 = Date.UTC(2026, 10, 1);

export class ManualTime implements Timers {
  #now = T0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly now = (): number => this.#now;

  get waiting(): number {
    return this.#timers.length;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Calls back what falls due, in order of time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [due] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }
}
