// How many refusals of one principal become entries: a burst, then so many a second; the rest are counted, so that nobody
// fills the log by asking for what it may not have.

const BURST = 100;
const PER_SECOND = 10;
// Principals that are remembered. Past it the oldest start afresh: memory is bounded, and the burst is small.
const PRINCIPALS = 10_000;

interface Bucket {
  left: number;
  at: number;
  uncounted: number;
}

export class RefusalMeter {
  readonly #buckets = new Map<string, Bucket>();

  /** How many went unrecorded since the last recorded one, if this one is to be recorded; `undefined` if it is not. */
  admit(principal: string, at: number): number | undefined {
    let bucket = this.#buckets.get(principal);
    if (bucket === undefined) {
      if (this.#buckets.size >= PRINCIPALS) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = { left: BURST, at, uncounted: 0 };
      this.#buckets.set(principal, bucket);
    }
    bucket.left = Math.min(BURST, bucket.left + ((at - bucket.at) * PER_SECOND) / 1000);
    bucket.at = at;
    if (bucket.left < 1) {
      bucket.uncounted++;
      return undefined;
    }
    bucket.left--;
    const { uncounted } = bucket;
    bucket.uncounted = 0;
    return uncounted;
  }
}
