// Counts deliveries up to as many as are expected, with how long each took.

export interface Delivered {
  readonly deliveries: number;
  /** Milliseconds: from the first thing that was asked for to the last delivery. */
  readonly ms: number;
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds since the epoch with their fractions: the same in all processes of a machine, but for the start's rounding. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

export class Deliveries {
  #latencies = new Float64Array(0);
  #count = 0;
  #startedAt = 0;
  #ended = Promise.withResolvers<Delivered>();

  expect(deliveries: number): void {
    this.#latencies = new Float64Array(deliveries);
    this.#count = 0;
    this.#startedAt = performance.now();
    this.#ended = Promise.withResolvers();
  }

  add(latency: number): void {
    if (this.#count >= this.#latencies.length) return;
    this.#latencies[this.#count++] = latency;
    if (this.#count < this.#latencies.length) return;
    const ms = performance.now() - this.#startedAt;
    const sorted = this.#latencies.sort();
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
    this.#ended.resolve({ deliveries: this.#count, ms, p50: at(0.5), p99: at(0.99) });
  }

  /** Resolves once all have come. */
  ended(): Promise<Delivered> {
    return this.#ended.promise;
  }
}
