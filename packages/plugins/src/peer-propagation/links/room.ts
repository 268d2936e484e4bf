// How many performings are asked of one neighbour at once, over one session: with more than its budget (docs/wire.md) it would end the session, and
// nobody would know what became of all the others. The rest waits in line. What is handed on for one peer takes half of the
// room at most, and for all of them three quarters: a peer whose calls never end holds up nobody else's.

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

/** What is under way. */
class Taken {
  calls = 0;
  characters = 0;

  take(size: number): void {
    this.calls++;
    this.characters += size;
  }

  leave(size: number): void {
    this.calls--;
    this.characters -= size;
  }

  isBelow({ calls, characters }: RoomLimits, share = 1): boolean {
    return this.calls < calls * share && this.characters < characters * share;
  }
}

class Share extends Taken {
  readonly line = new Set<Waiting>();
}

/** Whose calls are this node's own. */
const OWN = "";

export class Room {
  readonly #most: RoomLimits;
  readonly #all = new Taken();
  readonly #handedOn = new Taken();
  /** By the node that a call came from. Whoever's turn is next comes first. */
  readonly #shares = new Map<string, Share>();
  #isOver = false;

  constructor(most = USUAL) {
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#shares.size === 0;
  }

  /**
   * `undefined` where there is room now, otherwise a promise of it.
   * @param from the node that handed it on
   * @throws the signal's reason, and then there is nothing to leave
   */
  enter(size: number, signal: AbortSignal, from = OWN): Promise<void> | undefined {
    signal.throwIfAborted();
    if (this.#isOver) return undefined;
    const share = this.#shares.get(from) ?? new Share();
    this.#shares.set(from, share);
    if (share.line.size === 0 && this.#hasRoom(share, from)) {
      this.#take(share, from, size);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        share.line.delete(waiting);
        this.#tidy(share, from);
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
      share.line.add(waiting);
    });
  }

  leave(size: number, from = OWN): void {
    const left = this.#shares.get(from);
    if (this.#isOver || left === undefined) return;
    for (const taken of this.#takenBy(left, from)) taken.leave(size);
    this.#tidy(left, from);
    for (const [of, share] of [...this.#shares]) {
      const waited = share.line.size;
      for (const waiting of share.line) {
        if (!this.#hasRoom(share, of)) break;
        share.line.delete(waiting);
        this.#take(share, of, waiting.size);
        waiting.enter();
      }
      if (share.line.size === waited) continue;
      this.#shares.delete(of);
      this.#shares.set(of, share);
    }
  }

  /** The session is over: whoever waits, or comes later, goes on and finds that it is. */
  end(): void {
    this.#isOver = true;
    for (const { line } of this.#shares.values()) for (const waiting of line) waiting.enter();
    this.#shares.clear();
  }

  #hasRoom(share: Share, from: string): boolean {
    if (!this.#all.isBelow(this.#most)) return false;
    return from === OWN || (share.isBelow(this.#most, 1 / 2) && this.#handedOn.isBelow(this.#most, 3 / 4));
  }

  #take(share: Share, from: string, size: number): void {
    for (const taken of this.#takenBy(share, from)) taken.take(size);
  }

  #takenBy(share: Share, from: string): readonly Taken[] {
    return from === OWN ? [this.#all, share] : [this.#all, share, this.#handedOn];
  }

  #tidy(share: Share, from: string): void {
    if (share.calls + share.line.size === 0) this.#shares.delete(from);
  }
}
