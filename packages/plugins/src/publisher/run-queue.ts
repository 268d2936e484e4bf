// Who has something to do takes a turn, one after another; between slices of a few milliseconds everything else of the node
// gets one too. So a thousand subscribers cost a caller the slice that it came in at, and not the thousand.

const SLICE_MS = 3;

export class RunQueue {
  readonly #tasks: (() => void)[] = [];
  #scheduled = false;
  #over = false;
  readonly #defer: (callback: () => void) => void;
  readonly #now: () => number;

  constructor(
    defer: (callback: () => void) => void = (callback) => void setImmediate(callback),
    now = () => performance.now(),
  ) {
    this.#defer = defer;
    this.#now = now;
  }

  add(task: () => void): void {
    if (this.#over) return;
    this.#tasks.push(task);
    this.#schedule();
  }

  /** What is done in a turn. Of what is stopped nobody hears. */
  turn<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.add(() => {
        try {
          resolve(work());
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }

  stop(): void {
    this.#over = true;
    this.#tasks.length = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(() => {
      this.#scheduled = false;
      this.#slice();
    });
  }

  #slice(): void {
    const end = this.#now() + SLICE_MS;
    // Those that are added meanwhile are for the next slice: a task that always adds itself must not keep it up.
    const count = this.#tasks.length;
    let done = 0;
    try {
      while (done < count && !this.#over) {
        (this.#tasks[done++] as () => void)();
        if (this.#now() >= end) break;
      }
    } finally {
      // Also where one throws, which is a bug: the others have their turn, and none has it twice.
      this.#tasks.splice(0, done);
      if (this.#tasks.length > 0) this.#schedule();
    }
  }
}
