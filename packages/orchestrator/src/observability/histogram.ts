// A histogram: counts in an array, because it is updated on the hot path. Readers make Prometheus' cumulative buckets and quantile estimates of
// it.

export class Histogram {
  /** Upper bounds, ascending, inclusive. */
  readonly bounds: readonly number[];
  /** Counts by bound; the last is for values above all bounds. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0) as number[];
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    // Searched from below: most measured times are short.
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    counts[at] = (counts[at] as number) + 1;
    this.sum += value;
    this.count++;
  }

  /** A quantile estimate as Prometheus' `histogram_quantile` makes it, assuming values evenly spread in their bucket; 0 without values. */
  quantile(q: number): number {
    if (this.count === 0) return 0;
    const rank = q * this.count;
    let below = 0;
    for (let at = 0; at < this.bounds.length; at++) {
      const here = this.counts[at] as number;
      if (below + here >= rank && here > 0) {
        const from = at === 0 ? 0 : (this.bounds[at - 1] as number);
        const to = this.bounds[at] as number;
        return from + (to - from) * ((rank - below) / here);
      }
      below += here;
    }
    return this.bounds.at(-1) as number;
  }
}

/** Bounds in seconds, for work of microseconds. */
export const FAST_S: readonly number[] = [
  5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 0.5,
];
/** Bounds in seconds, for work that waits for a disk. */
export const DISK_S: readonly number[] = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1, 5];
/** Bounds in seconds, for work that waits for other systems. */
export const SLOW_S: readonly number[] = [
  1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];
/** Bounds for the number of entries in a group. */
export const GROUP: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
