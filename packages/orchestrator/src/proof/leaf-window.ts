// The newest leaf hashes of another node's log, as a witness keeps them, so that it can name the first entry in which two versions of the log
// differ. Earlier entries are kept only as the roots (peaks) of their complete subtrees. docs/log-format.md specifies the file.

import { readBase64, readNumber, writeBase64 } from "./canonical.ts";
import { CompactRange, HASH_BYTES } from "./merkle.ts";

/** At least the last so many leaves are kept, and at most twice as many: so the oldest are dropped in bulk. */
export const LEAVES_KEPT = 65_536;

const TITLE = "capstan leaves/1";
/** The most bytes of a file's head: a title, a number of 16 digits, and 53 hashes in base64. */
const LONGEST_HEAD = 4096;

/** The newest leaves of a log, and the peaks of the tree before them. Immutable. */
export class LeafWindow {
  /** How many entries are before the window: of these there are only `peaks`. */
  readonly base: number;
  /** Roots of the complete subtrees over the first `base` entries, the largest first. */
  readonly peaks: readonly Uint8Array[];
  /** Leaf hashes of the entries from `base + 1` on, 32 bytes each. */
  readonly hashes: Uint8Array;
  /** The tree over all `size` entries, kept because recomputing it takes a hash for each leaf in the window. */
  #tree: CompactRange | undefined;

  private constructor(base: number, peaks: readonly Uint8Array[], hashes: Uint8Array) {
    this.base = base;
    this.peaks = peaks;
    this.hashes = hashes;
  }

  /** @throws RangeError where a tree of `base` leaves has another number of peaks */
  static from(base: number, peaks: readonly Uint8Array[]): LeafWindow {
    if (CompactRange.of(base, peaks) === undefined)
      throw new RangeError(`${peaks.length} peaks are not of ${base} leaves`);
    return new LeafWindow(base, peaks, new Uint8Array());
  }

  static readonly empty = LeafWindow.from(0, []);

  /** Parses a file; `undefined` where it is malformed. An incomplete hash at the end is dropped. */
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

  /** The file's text before the leaf hashes. */
  get head(): string {
    return `${TITLE}\n${this.base}\n${this.peaks.map(writeBase64).join(" ")}\n`;
  }

  /** The size of the log, in entries. */
  get size(): number {
    return this.base + this.hashes.length / HASH_BYTES;
  }

  /** The hash of an entry's leaf, by the entry's number; `undefined` where it is not kept. */
  leaf(entry: number): Uint8Array | undefined {
    if (entry <= this.base || entry > this.size) return undefined;
    const at = (entry - 1 - this.base) * HASH_BYTES;
    return this.hashes.subarray(at, at + HASH_BYTES);
  }

  /** The root over the first `size` entries; `undefined` where the window does not reach it. */
  root(size: number): Uint8Array | undefined {
    return size === this.size ? this.#whole().root() : this.#range(size)?.root();
  }

  /** The window as of `size` entries; `undefined` where `size` is outside the window. */
  cut(size: number): LeafWindow | undefined {
    if (size === this.size) return this;
    if (size < this.base || size > this.size) return undefined;
    return new LeafWindow(this.base, this.peaks, this.hashes.subarray(0, (size - this.base) * HASH_BYTES));
  }

  /** The window with further leaf hashes, 32 bytes each. If there are too many leaves, the oldest are merged into the peaks. */
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

/** A copy of the range, with these leaves added. */
function appended({ size, peaks }: CompactRange, leaves: Uint8Array): CompactRange {
  const range = CompactRange.of(size, peaks) as CompactRange;
  for (let at = 0; at < leaves.length; at += HASH_BYTES) range.append(leaves.subarray(at, at + HASH_BYTES));
  return range;
}
