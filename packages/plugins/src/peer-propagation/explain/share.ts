// What one who asks may have of what costs others something: few at once, and few a second.

export interface ShareLimits {
  readonly atOnce: number;
  readonly aSecond: number;
}

/** Of those who asked lately: past it all begin anew. */
const MOST_LATELY = 1000;

export class Share {
  /** Milliseconds since the epoch. */
  readonly #now: () => number;
  readonly #limits: ShareLimits;
  readonly #asking = new Map<string, number>();
  readonly #lately = new Map<string, { readonly since: number; asked: number }>();

  constructor(now: () => number, limits: ShareLimits) {
    this.#now = now;
    this.#limits = limits;
  }

  /** @returns what gives it back once it is over; `undefined` where there is none left */
  take(who: string): (() => void) | undefined {
    const under = this.#asking.get(who) ?? 0;
    if (under >= this.#limits.atOnce || !this.#mayNow(who)) return undefined;
    this.#asking.set(who, under + 1);
    return () => {
      const left = (this.#asking.get(who) ?? 1) - 1;
      if (left === 0) this.#asking.delete(who);
      else this.#asking.set(who, left);
    };
  }

  #mayNow(who: string): boolean {
    const now = this.#now();
    const known = this.#lately.get(who);
    if (known !== undefined && Math.abs(now - known.since) < 1000) return ++known.asked <= this.#limits.aSecond;
    if (this.#lately.size >= MOST_LATELY) this.#lately.clear();
    this.#lately.set(who, { since: now, asked: 1 });
    return true;
  }
}
