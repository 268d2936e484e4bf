// Leaves as a witness keeps them: the roots are the tree's own, whatever is folded away, and a file is what was written or nothing.

import { describe, expect, test } from "bun:test";
import { MerkleTree, memoryTiles } from "../log/tree/merkle-tree.ts";
import { LEAVES_KEPT, LeafWindow } from "./leaf-window.ts";
import { CompactRange, leafHash } from "./merkle.ts";

function leavesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => leafHash(`${i}`));
}

function treeOf(count: number): MerkleTree {
  const tree = new MerkleTree(memoryTiles());
  for (let i = 0; i < count; i++) tree.add(`\0${i}`);
  return tree;
}

/** Roots of the complete trees of the first `size` leaves: what is beside the way up from the leaf after them. */
const peaksAt = (tree: MerkleTree, size: number) => tree.inclusion(size, size + 1).toReversed();

const leaves = leavesOf(300);
const tree = treeOf(301);

test("its roots are the tree's, from wherever it begins", () => {
  for (const base of [0, 1, 2, 127, 128, 255, 299]) {
    const window = LeafWindow.from(base, base === 0 ? [] : peaksAt(tree, base)).grown(
      Buffer.concat(leaves.slice(base)),
    );
    expect(window.size).toBe(300);
    for (const size of [base, base + 1, 300]) expect(window.root(size)).toEqual(tree.root(size));
    expect(window.root(base - 1)).toBeUndefined();
    expect(window.root(301)).toBeUndefined();
    expect(window.leaf(base)).toBeUndefined();
    expect(window.leaf(300)).toEqual(leaves[299] as Uint8Array);
    expect(window.cut(299)?.root(299)).toEqual(tree.root(299));
  }
});

test("the oldest leaves are folded into the tree before them, and the roots stay", () => {
  const count = 2 * LEAVES_KEPT + 5;
  const many = Buffer.concat(leavesOf(count));
  const window = LeafWindow.empty.grown(many.subarray(0, 32 * 1000)).grown(many.subarray(32 * 1000));
  expect(window.base).toBe(count - LEAVES_KEPT);
  expect(window.root(count)).toEqual(treeOf(count).root(count));
});

test("hashes that are not of such a size are no beginning", () => {
  expect(() => LeafWindow.from(3, peaksAt(tree, 4))).toThrow(RangeError);
  expect(() => LeafWindow.from(0, peaksAt(tree, 1))).toThrow(RangeError);
  expect(() => LeafWindow.from(1, [new Uint8Array(31)])).toThrow(RangeError);
  expect(CompactRange.of(-1, [])).toBeUndefined();
});

describe("a file", () => {
  const window = LeafWindow.from(5, peaksAt(tree, 5)).grown(Buffer.concat(leaves.slice(5)));
  const file = Buffer.concat([Buffer.from(window.head), window.hashes]);

  test("is read as it was written; a leaf that was cut off is left out", () => {
    expect(LeafWindow.read(file)).toEqual(window);
    expect(LeafWindow.read(file.subarray(0, -1))).toEqual(window.cut(299) as LeafWindow);
    const none = Buffer.from(LeafWindow.empty.head);
    expect(LeafWindow.read(none)).toEqual(LeafWindow.empty);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["another thing", Buffer.alloc(10_000, "a")],
    ["a head that is cut off", file.subarray(0, 60)],
    ["another number", Buffer.concat([Buffer.from(window.head.replace("\n5\n", "\n7\n")), window.hashes])],
    ["a number with a sign", Buffer.concat([Buffer.from(window.head.replace("\n5\n", "\n+5\n")), window.hashes])],
    ["one hash too few", Buffer.concat([Buffer.from(window.head.replace(/ \S+\n$/, "\n")), window.hashes])],
  ])("that is %s is none", (_, bytes) => {
    expect(LeafWindow.read(bytes)).toBeUndefined();
  });
});
