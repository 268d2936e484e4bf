// How long this process had to wait for a processor: what others had of the machine meanwhile is no fault of the nodes'. A timer that
// should come every few milliseconds says by how much it was late.

const EVERY_MS = 20;

export class Starvation {
  #late = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#late += Math.max(0, now - this.#last - EVERY_MS);
    this.#last = now;
  }, EVERY_MS);

  /** Milliseconds, since it was made. */
  get late(): number {
    return this.#late;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
