// The newest leaves of a log as somebody outside it keeps them, so that of two logs the first entry that differs can be named: the
// hashes of the last entries, and in front of them the tree of all before, as a few hashes. Its file is docs/log-format.md's.

import { readBase64, readNumber, writeBase64 } from "./canonical.ts";
import { CompactRange, HASH_BYTES } from "./merkle.ts";

/** So many leaves are kept at least, of a log that has so many; twice as many at most, so that few are moved at a time. */
export const LEAVES_KEPT = 65_536;

const TITLE = "capstan leaves/1";
/** A title, a number of 16 digits, and 53 hashes in base64. */
const LONGEST_HEAD = 4096;

/** The newest leaves of a log, with the tree before them as a few hashes. Immutable. */
export class LeafWindow {
  /** Entries before it, of which there is only `before`. */
  readonly base: number;
  /** Roots of the complete trees of those, the largest first. */
  readonly peaks: readonly Uint8Array[];
  /** Of entries `base + 1` on, 32 bytes each. */
  readonly hashes: Uint8Array;
  /** The tree over all of it, which each leaf that comes is added to: made anew it costs a hash for each that is kept. */
  #tree: CompactRange | undefined;

  private constructor(base: number, peaks: readonly Uint8Array[], hashes: Uint8Array) {
    this.base = base;
    this.peaks = peaks;
    this.hashes = hashes;
  }

  /** @throws RangeError where the peaks are not those of such a size */
  static from(base: number, peaks: readonly Uint8Array[]): LeafWindow {
    if (CompactRange.of(base, peaks) === undefined)
      throw new RangeError(`${peaks.length} peaks are not of ${base} leaves`);
    return new LeafWindow(base, peaks, new Uint8Array());
  }

  static readonly empty = LeafWindow.from(0, []);

  /** The file's bytes as a window; `undefined` where they are none. Leaves that were cut off are left out. */
  static read(bytes: Uint8Array): LeafWindow | undefined {
    const head = Buffer.from(bytes.subarray(0, LONGEST_HEAD)).toString("latin1");
    const [title, size = "", peaksText = ""] = head.split("\n", 3);
    const base = readNumber(size);
    const peaks = peaksText === "" ? [] : peaksText.split(" ").map(readBase64);
    if (title !== TITLE || base === undefined || !peaks.every((one) => one !== undefined)) return undefined;
    if (CompactRange.of(base, peaks) === undefined) return undefined;
    const from = `${title}\n${size}\n${peaksText}\n`.length;
    if (head[from - 1] !== "\n") return undefined;
    const whole = bytes.length - ((bytes.length - from) % HASH_BYTES);
    return new LeafWindow(base, peaks, bytes.slice(from, whole));
  }

  /** What stands in its file before the leaves. */
  get head(): string {
    return `${TITLE}\n${this.base}\n${this.peaks.map(writeBase64).join(" ")}\n`;
  }

  /** Entries that it is of. */
  get size(): number {
    return this.base + this.hashes.length / HASH_BYTES;
  }

  /** The hash of an entry's leaf, by the entry's number; `undefined` where it is not kept. */
  leaf(entry: number): Uint8Array | undefined {
    if (entry <= this.base || entry > this.size) return undefined;
    const at = (entry - 1 - this.base) * HASH_BYTES;
    return this.hashes.subarray(at, at + HASH_BYTES);
  }

  /** The root over the first `size` entries; `undefined` where too little is kept to tell. */
  root(size: number): Uint8Array | undefined {
    return size === this.size ? this.#whole().root() : this.#range(size)?.root();
  }

  /** As it was when the log had `size` entries; `undefined` where too little is kept to tell. */
  cut(size: number): LeafWindow | undefined {
    if (size === this.size) return this;
    if (size < this.base || size > this.size) return undefined;
    return new LeafWindow(this.base, this.peaks, this.hashes.subarray(0, (size - this.base) * HASH_BYTES));
  }

  /** With the leaves that come next, 32 bytes each. The oldest become part of the tree before it where they are too many. */
  grown(leaves: Uint8Array): LeafWindow {
    const hashes = new Uint8Array(this.hashes.length + leaves.length);
    hashes.set(this.hashes);
    hashes.set(leaves, this.hashes.length);
    const tree = appended(this.#whole(), leaves);
    let all = new LeafWindow(this.base, this.peaks, hashes);
    if (all.size - all.base > 2 * LEAVES_KEPT) {
      const base = all.size - LEAVES_KEPT;
      const { peaks } = all.#range(base) as CompactRange;
      all = new LeafWindow(base, peaks, hashes.slice((base - all.base) * HASH_BYTES));
    }
    all.#tree = tree;
    return all;
  }

  #whole(): CompactRange {
    this.#tree ??= this.#range(this.size) as CompactRange;
    return this.#tree;
  }

  #range(size: number): CompactRange | undefined {
    if (size < this.base || size > this.size) return undefined;
    const before = CompactRange.of(this.base, this.peaks) as CompactRange;
    return appended(before, this.hashes.subarray(0, (size - this.base) * HASH_BYTES));
  }
}

/** Another one, with these leaves: the one that is given stays as it is. */
function appended({ size, peaks }: CompactRange, leaves: Uint8Array): CompactRange {
  const range = CompactRange.of(size, peaks) as CompactRange;
  for (let at = 0; at < leaves.length; at += HASH_BYTES) range.append(leaves.subarray(at, at + HASH_BYTES));
  return range;
}
