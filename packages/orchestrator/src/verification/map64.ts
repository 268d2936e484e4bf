// A map of 64-bit hashes to 64-bit hashes, or a set of them, with 16 bytes a slot: objects for a million rows would take
// hundreds of megabytes. Open addressing with linear probing; deletion leaves no tombstone (Knuth 6.4, algorithm R).

/** Two halves of a hash, each of 32 bits. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

const FIRST_SLOTS = 1024;
/** Beyond this share of its slots it grows. */
const FULLEST = 0.6;

export class Map64 {
  #slots = FIRST_SLOTS;
  /** Four words a slot: the key's halves, then the value's. A key of zero is a free slot. */
  #words = new Uint32Array(4 * FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Hash64): Hash64 | undefined {
    const at = 4 * this.#find(key);
    if (this.#isFree(at)) return undefined;
    return { high: this.#words[at + 2] as number, low: this.#words[at + 3] as number };
  }

  set(key: Hash64, { high, low }: Hash64): void {
    if (this.#size >= this.#slots * FULLEST) this.#grow();
    const at = 4 * this.#find(key);
    if (this.#isFree(at)) {
      this.#size++;
      this.#words[at] = key.high;
      this.#words[at + 1] = lowOf(key);
    }
    this.#words[at + 2] = high;
    this.#words[at + 3] = low;
  }

  /** Whether it was there. */
  delete(key: Hash64): boolean {
    let hole = this.#find(key);
    if (this.#isFree(4 * hole)) return false;
    this.#size--;
    for (let i = this.#next(hole); !this.#isFree(4 * i); i = this.#next(i)) {
      // It may move into the hole unless its own place lies behind it.
      const home = this.#home({ high: this.#words[4 * i] as number, low: this.#words[4 * i + 1] as number });
      const behind = hole <= i ? home > hole && home <= i : home > hole || home <= i;
      if (behind) continue;
      this.#words.copyWithin(4 * hole, 4 * i, 4 * i + 4);
      hole = i;
    }
    this.#words.fill(0, 4 * hole, 4 * hole + 4);
    return true;
  }

  *keys(): Generator<Hash64, void, void> {
    for (let at = 0; at < this.#words.length; at += 4) {
      if (!this.#isFree(at)) yield { high: this.#words[at] as number, low: this.#words[at + 1] as number };
    }
  }

  /** The slot of the key, or the free one where it belongs. */
  #find(key: Hash64): number {
    const low = lowOf(key);
    let slot = this.#home({ high: key.high, low });
    for (let at = 4 * slot; !this.#isFree(at); at = 4 * slot) {
      if (this.#words[at] === key.high && this.#words[at + 1] === low) break;
      slot = this.#next(slot);
    }
    return slot;
  }

  #home({ high, low }: Hash64): number {
    return (high ^ low) & (this.#slots - 1);
  }

  #next(slot: number): number {
    return (slot + 1) & (this.#slots - 1);
  }

  #isFree(at: number): boolean {
    return this.#words[at] === 0 && this.#words[at + 1] === 0;
  }

  #grow(): void {
    const words = this.#words;
    this.#slots *= 2;
    this.#words = new Uint32Array(4 * this.#slots);
    this.#size = 0;
    for (let at = 0; at < words.length; at += 4) {
      if (words[at] === 0 && words[at + 1] === 0) continue;
      const key = { high: words[at] as number, low: words[at + 1] as number };
      this.set(key, { high: words[at + 2] as number, low: words[at + 3] as number });
    }
  }
}

/** Never of a key of zero, which marks a free slot. */
function lowOf({ high, low }: Hash64): number {
  return high === 0 && low === 0 ? 1 : low >>> 0;
}
