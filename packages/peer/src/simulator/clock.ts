// Virtual time: a heap of what is to happen, and the time of what happens now. Of two at one time, the one that was planned
// first comes first, so that a run depends on nothing but its script.

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualClock {
  #now = 0;
  #order = 0;
  readonly #heap: Planned[] = [];

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now;
  }

  /** The past is now. */
  plan(at: number, run: () => void): void {
    const planned = { at: Math.max(at, this.#now), order: this.#order++, run };
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Planned;
      if (!before(planned, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = planned;
  }

  /** All that is planned up to then, and what comes of it; then it is that time. */
  runUntil(time: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= time; first = this.#heap[0]) {
      this.#removeFirst();
      this.#now = first.at;
      first.run();
    }
    this.#now = Math.max(this.#now, time);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Planned;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1] as Planned, heap[below] as Planned)) below++;
      const child = heap[below] as Planned;
      if (!before(child, last)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}

const before = (a: Planned, b: Planned): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
