// How many performings are asked of one neighbour at once, over one session: with more than its budget (docs/wire.md) it would end the session, and
// nobody would know what became of all the others. The rest waits in line.

export interface RoomLimits {
  readonly calls: number;
  /** Of inputs, in UTF-16 code units as frames have them. */
  readonly characters: number;
}

/**
 * Less than a session's `callsInFlight`, since topics are read over it as well; and with one more frame less than its `outboundBytes`, since all of
 * them may be sent at once.
 */
const USUAL: RoomLimits = { calls: 3_000, characters: 8 * 1024 * 1024 };

interface Waiting {
  readonly size: number;
  enter(): void;
}

export class Room {
  readonly #most: RoomLimits;
  #calls = 0;
  #characters = 0;
  readonly #line = new Set<Waiting>();

  constructor(most = USUAL) {
    this.#most = most;
  }

  /** Whether whoever comes now would have to wait. */
  get isFull(): boolean {
    return this.#line.size > 0 || this.#calls >= this.#most.calls || this.#characters >= this.#most.characters;
  }

  /** `undefined` where there is room now, otherwise a promise of it. @throws the signal's reason, and then there is nothing to leave */
  enter(size: number, signal: AbortSignal): Promise<void> | undefined {
    if (!this.isFull) {
      this.#take(size);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        this.#line.delete(waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        size,
        enter: () => {
          signal.removeEventListener("abort", aborted);
          resolve();
        },
      };
      signal.addEventListener("abort", aborted, { once: true });
      this.#line.add(waiting);
    });
  }

  leave(size: number): void {
    this.#calls--;
    this.#characters -= size;
    for (const waiting of this.#line) {
      if (this.#calls >= this.#most.calls || this.#characters >= this.#most.characters) return;
      this.#line.delete(waiting);
      this.#take(waiting.size);
      waiting.enter();
    }
  }

  /** The session is over: whoever waits goes on, and finds that it is. */
  end(): void {
    for (const waiting of this.#line) waiting.enter();
    this.#line.clear();
  }

  #take(size: number): void {
    this.#calls++;
    this.#characters += size;
  }
}
