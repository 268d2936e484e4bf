// The tree beside a recursive computation in the words of RFC 6962 §2.1, which shares nothing with it, and its proofs before
// the verifier that auditors use.

import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { verifyConsistency, verifyInclusion } from "../../proof/merkle.ts";
import { MerkleTree, memoryTiles, type TileStore } from "./merkle-tree.ts";

const sha256 = (...parts: (Buffer | string)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const data = (i: number) => `\0header ${i}`;
const leaf = (i: number) => sha256(data(i));

/** RFC 6962 §2.1, as it is written, with what it computed before. */
class Reference {
  readonly #known = new Map<string, Buffer>();

  root(from: number, to: number): Buffer {
    if (to === from) return sha256("");
    if (to - from === 1) return leaf(from);
    const key = `${from}-${to}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const k = from + largestPowerBelow(to - from);
      known = sha256("\u0001", this.root(from, k), this.root(k, to));
      this.#known.set(key, known);
    }
    return known;
  }

  /** PATH(m, D[from:to]) */
  path(m: number, from: number, to: number): Buffer[] {
    if (to - from === 1) return [];
    const k = largestPowerBelow(to - from);
    return m < k
      ? [...this.path(m, from, from + k), this.root(from + k, to)]
      : [...this.path(m - k, from + k, to), this.root(from, from + k)];
  }

  /** SUBPROOF(m, D[from:to], b) */
  subproof(m: number, from: number, to: number, b: boolean): Buffer[] {
    if (m === to - from) return b ? [] : [this.root(from, to)];
    const k = largestPowerBelow(to - from);
    return m <= k
      ? [...this.subproof(m, from, from + k, b), this.root(from + k, to)]
      : [...this.subproof(m - k, from + k, to, false), this.root(from, from + k)];
  }
}

function largestPowerBelow(n: number): number {
  return 2 ** Math.ceil(Math.log2(n) - 1);
}

const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString("hex"));
const reference = new Reference();

function treeOf(size: number, store: TileStore = memoryTiles()): MerkleTree {
  const tree = new MerkleTree(store);
  for (let i = 0; i < size; i++) tree.add(data(i));
  return tree;
}

/** Of three levels, the last tile of each partial. */
const LARGE = 256 * 256 * 2 + 256 * 3 + 77;
const large = treeOf(LARGE);
const seeded = { seed: 7, numRuns: 300 };
/** Sizes as often at the edges of tiles as between them. */
const sizes = (most: number) =>
  fc.oneof(
    fc.integer({ min: 1, max: most }),
    fc
      .tuple(
        fc.constantFrom(1, 2, 255, 256, 257, 512, 65_535, 65_536, 65_537, 131_072),
        fc.integer({ min: -1, max: 1 }),
      )
      .map(([near, by]) => Math.min(Math.max(near + by, 1), most)),
  );

describe("a tree", () => {
  test("of nothing has the hash of nothing as its root (RFC 6962 §2.1)", () => {
    expect(hex([new MerkleTree(memoryTiles()).root()])).toEqual([
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]);
  });

  test("has the reference's root at every size as it grows to 600, and for every size afterwards", () => {
    const tree = new MerkleTree(memoryTiles());
    for (let size = 0; size <= 600; size++) {
      expect(hex([tree.root()])).toEqual(hex([reference.root(0, size)]));
      tree.add(data(size));
    }
    for (let size = 0; size <= 600; size++) expect(hex([tree.root(size)])).toEqual(hex([reference.root(0, size)]));
  });

  test("of three levels of tiles has the reference's root and leaves at any size", () => {
    fc.assert(
      fc.property(sizes(LARGE), fc.integer({ min: 0, max: 700 }), (size, count) => {
        expect(hex([large.root(size)])).toEqual(hex([reference.root(0, size)]));
        const expected = Array.from({ length: Math.min(count, LARGE - size) }, (_, i) => leaf(size + i));
        expect(Buffer.from(large.leaves(size, count)).equals(Buffer.concat(expected))).toBe(true);
      }),
      seeded,
    );
  });

  test("proves that a leaf is in it as the reference does, and as the verifier accepts", () => {
    fc.assert(
      fc.property(sizes(LARGE), fc.nat(), (size, any) => {
        const index = any % size;
        const proof = large.inclusion(index, size);
        expect(hex(proof)).toEqual(hex(reference.path(index, 0, size)));
        const root = large.root(size);
        expect(verifyInclusion({ index, size, leaf: leaf(index), proof: [...proof], root })).toBe(true);
        expect(verifyInclusion({ index, size, leaf: leaf(index + 1), proof: [...proof], root })).toBe(false);
      }),
      seeded,
    );
  });

  test("proves that an older one is its beginning as the reference does, and as the verifier accepts", () => {
    fc.assert(
      fc.property(sizes(LARGE), fc.nat(), (to, any) => {
        const from = (any % to) + 1;
        const proof = large.consistency(from, to);
        expect(hex(proof)).toEqual(hex(from === to ? [] : reference.subproof(from, 0, to, true)));
        const [fromRoot, toRoot] = [large.root(from), large.root(to)];
        expect(verifyConsistency({ from, to, fromRoot, toRoot, proof: [...proof] })).toBe(true);
      }),
      seeded,
    );
    expect([large.consistency(0, 100), large.consistency(0, 0)]).toEqual([[], []]);
  });

  test("reads few tiles for a proof, and none twice", () => {
    const store = memoryTiles();
    let reads = 0;
    treeOf(70_000, store);
    const counted: TileStore = {
      read: (...asked) => {
        reads++;
        return store.read(...asked);
      },
      write: store.write,
    };
    const tail = treeOf(70_000).leaves(70_000 - (70_000 % 256), 256);
    const tree = new MerkleTree(counted, 70_000, new Uint8Array(tail));
    // Of the second level the roots of 17 tiles, of the third that of one.
    expect(reads).toBe(18);
    reads = 0;
    tree.inclusion(12_345, 70_000);
    tree.consistency(12_345, 69_999);
    expect(reads).toBeLessThanOrEqual(4);
    const before = reads;
    tree.inclusion(12_345, 70_000);
    expect(reads).toBe(before);
  });

  test("opened from its tiles and its last leaves is the same, and grows on as it would have", () => {
    for (const size of [1, 255, 256, 257, 512, 65_535, 65_536, 65_537, 65_536 + 256 * 3]) {
      const store = memoryTiles();
      const leaves = treeOf(size, store).leaves(size - (size % 256), 256);
      const opened = new MerkleTree(store, size, new Uint8Array(leaves));
      expect(hex([opened.root()])).toEqual(hex([reference.root(0, size)]));
      for (let i = size; i < size + 300; i++) opened.add(data(i));
      expect(hex([opened.root()])).toEqual(hex([reference.root(0, size + 300)]));
    }
  });

  test("after an append that is undone is as it was, and grows on, however many tiles the append completed", () => {
    for (const [size, lost] of [
      [0, 1],
      [10, 100],
      [250, 6],
      [250, 10],
      [256, 600],
      [65_530, 300],
    ] as const) {
      const tree = treeOf(size);
      tree.root();
      const mark = tree.mark();
      for (let i = 0; i < lost; i++) tree.add(`\0lost ${i}`);
      tree.root();
      tree.undo(mark);
      expect(tree.size).toBe(size);
      expect(hex([tree.root()])).toEqual(hex([reference.root(0, size)]));
      for (let i = size; i < size + 700; i++) tree.add(data(i));
      expect(hex([tree.root()])).toEqual(hex([reference.root(0, size + 700)]));
      expect(hex([tree.root(size + 350)])).toEqual(hex([reference.root(0, size + 350)]));
    }
  });

  test("refuses sizes and leaves that it has not", () => {
    const tree = treeOf(10);
    for (const wrong of [
      () => tree.root(11),
      () => tree.root(-1),
      () => tree.root(1.5),
      () => tree.root(2 ** 60),
      () => tree.inclusion(0, 11),
      () => tree.inclusion(10, 10),
      () => tree.inclusion(-1, 10),
      () => tree.inclusion(0, 0),
      () => tree.inclusion(Number.NaN, 10),
      () => tree.consistency(5, 11),
      () => tree.consistency(6, 5),
      () => tree.consistency(-1, 5),
      () => tree.leaves(-1, 5),
    ]) {
      expect(wrong).toThrow(RangeError);
    }
    expect(tree.leaves(10, 5).length).toBe(0);
    expect(tree.leaves(8, 5).length).toBe(64);
    expect(tree.leaves(3, -1).length).toBe(0);
  });
});
