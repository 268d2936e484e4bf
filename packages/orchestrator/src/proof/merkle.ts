// The Merkle tree of RFC 6962 §2.1 with SHA-256, and its two proofs as RFC 9162 verifies them (§2.1.3.2, §2.1.4.2). Sizes
// and indices go up to 2^53 - 1, so that they are halved by arithmetic and not by 32-bit shifts. Malformed input never throws:
// the verification returns `false`.

import { hash } from "node:crypto";
import { LARGEST } from "./canonical.ts";

export const HASH_BYTES = 32;
/** A tree of 2^53 - 1 leaves is 53 levels high: no audit path is longer. */
export const LONGEST_INCLUSION = 53;
/** A consistency proof has one hash more: where it begins. */
export const LONGEST_CONSISTENCY = 54;

/** The root of the empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = hash("sha256", "", "buffer");

/** SHA-256(0x00 || header). A text is hashed as UTF-8. */
export function leafHash(header: Uint8Array | string): Uint8Array {
  if (typeof header === "string") return hash("sha256", `\0${header}`, "buffer");
  const bytes = new Uint8Array(1 + header.length);
  bytes.set(header, 1);
  return hash("sha256", bytes, "buffer");
}

/** SHA-256(0x01 || left || right) */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return hash("sha256", bytes, "buffer");
}

export interface InclusionClaim {
  /** The leaf's index, from 0: its entry's number less one. */
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** Whether the leaf stands at that index of the tree with that root. RFC 9162 §2.1.3.2, by its numbers. */
export function verifyInclusion({ index, size, leaf, proof, root }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || !areHashes([leaf, root]) || !isProof(proof, LONGEST_INCLUSION)) return false;
  if (index >= size) return false; // 1
  let fn = index; // 2
  let sn = size - 1;
  let r = leaf; // 3
  for (const p of proof) {
    if (sn === 0) return false; // 4a
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r); // 4b i
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]; // 4b ii
    } else {
      r = nodeHash(r, p); // 4b, otherwise
    }
    [fn, sn] = [half(fn), half(sn)]; // 4c
  }
  return sn === 0 && equal(r, root); // 5
}

export interface ConsistencyClaim {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: Uint8Array;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the tree of `from` leaves is the beginning of the tree of `to`. RFC 9162 §2.1.4.2, by its numbers. */
export function verifyConsistency({ from, to, fromRoot, toRoot, proof }: ConsistencyClaim): boolean {
  if (!isCount(from) || !isCount(to) || from > to) return false;
  if (!areHashes([fromRoot, toRoot]) || !isProof(proof, LONGEST_CONSISTENCY)) return false;
  // Two cases that the RFC leaves out, and that need no hashes.
  if (from === to) return proof.length === 0 && equal(fromRoot, toRoot) && (to > 0 || equal(toRoot, EMPTY_ROOT));
  if (from === 0) return proof.length === 0 && equal(fromRoot, EMPTY_ROOT);
  if (proof.length === 0) return false; // 1
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof; // 2
  let fn = from - 1; // 3
  let sn = to - 1;
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)]; // 4
  let fr = path[0] as Uint8Array; // 5
  let sr = fr;
  for (const c of path.slice(1)) {
    if (sn === 0) return false; // 6a
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr); // 6b i
      sr = nodeHash(c, sr); // 6b ii
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]; // 6b iii
    } else {
      sr = nodeHash(sr, c); // 6b, otherwise
    }
    [fn, sn] = [half(fn), half(sn)]; // 6c
  }
  return equal(fr, fromRoot) && equal(sr, toRoot) && sn === 0; // 7
}

/** Computes the root over appended leaves, in memory for one hash a level. */
export class CompactRange {
  #size = 0;
  /** Roots of complete trees, the largest first: one for each 1 in the size's binary digits. */
  readonly #peaks: Uint8Array[] = [];

  /** The range of `size` leaves with these peaks; `undefined` where a tree of that size has another number of peaks. */
  static of(size: number, peaks: readonly Uint8Array[]): CompactRange | undefined {
    if (!isCount(size) || !areHashes(peaks) || peaks.length !== peaksOf(size)) return undefined;
    const range = new CompactRange();
    range.#size = size;
    range.#peaks.push(...peaks);
    return range;
  }

  get size(): number {
    return this.#size;
  }

  /** Roots of complete trees, the largest first. */
  get peaks(): readonly Uint8Array[] {
    return [...this.#peaks];
  }

  append(leaf: Uint8Array): void {
    let node = leaf;
    for (let n = this.#size; isOdd(n); n = half(n)) node = nodeHash(this.#peaks.pop() as Uint8Array, node);
    this.#peaks.push(node);
    this.#size++;
  }

  root(): Uint8Array {
    let root = this.#peaks.at(-1);
    if (root === undefined) return EMPTY_ROOT;
    for (let i = this.#peaks.length - 2; i >= 0; i--) root = nodeHash(this.#peaks[i] as Uint8Array, root);
    return root;
  }
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** How many peaks a tree of this size has. */
function peaksOf(size: number): number {
  let ones = 0;
  for (let n = size; n > 0; n = half(n)) if (isOdd(n)) ones++;
  return ones;
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function isOdd(n: number): boolean {
  return n % 2 === 1;
}

function isPowerOfTwo(n: number): boolean {
  while (!isOdd(n)) n /= 2;
  return n === 1;
}

function isCount(n: number): boolean {
  return Number.isInteger(n) && n >= 0 && n <= LARGEST;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((one) => one instanceof Uint8Array && one.length === HASH_BYTES);
}

// Checked before anything is hashed, so that an oversized proof costs no more than a look at its length.
function isProof(proof: readonly Uint8Array[], longest: number): boolean {
  return proof.length <= longest && areHashes(proof);
}
