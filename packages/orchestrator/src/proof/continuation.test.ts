// What a witness makes of a log's next checkpoint: grown, restored, or forked. The trees are made by hand, leaf by leaf.

import { expect, test } from "bun:test";
import { MerkleTree, memoryTiles } from "../log/tree/merkle-tree.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { proofBeginsAt, verifyContinuation } from "./continuation.ts";

const LOG = `l-${"0".repeat(26)}`;

/** A tree over these leaves. */
function treeOf(leaves: readonly string[]): MerkleTree {
  const tree = new MerkleTree(memoryTiles());
  for (const leaf of leaves) tree.add(`\0${leaf}`);
  return tree;
}

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);

// A hundred entries, of which sixty were backed up; after the restore there are others.
const before = treeOf(numbered("a", 100));
const after = treeOf([...numbered("a", 60), ...numbered("b", 30)]);
const restored = { epoch: 5, size: 60, root: before.root(60) };

function checkpoint(tree: MerkleTree, size: number, more: Partial<Checkpoint> = {}): Checkpoint {
  return { origin: `capstan/${LOG}`, log: LOG, size, root: tree.root(size), epoch: 4, at: 0, ...more };
}

const older = checkpoint(before, 100);
const newer = checkpoint(after, 90, { epoch: 5, restored });

const forked = expect.objectContaining({ code: "PROOF_INVALID" });

test("a log that grew goes on from every checkpoint of it", () => {
  for (const size of [0, 1, 64, 99, 100]) {
    const proof = before.consistency(size, 100);
    expect(proofBeginsAt(checkpoint(before, size), older)).toBe(size);
    expect(verifyContinuation(checkpoint(before, size), older, proof)).toEqual({ kind: "grown" });
  }
});

test("a restore that is declared is one, and says what was kept", () => {
  expect(proofBeginsAt(older, newer)).toBe(60);
  const proof = after.consistency(60, 90);
  expect(verifyContinuation(older, newer, proof)).toEqual({ kind: "restored", epoch: 5, kept: 60 });
  // Longer by now than it ever was: still not the same entries.
  const longer = treeOf([...numbered("a", 60), ...numbered("b", 200)]);
  const grown = checkpoint(longer, 260, { epoch: 7, restored });
  expect(verifyContinuation(older, grown, longer.consistency(60, 260))).toEqual({
    ...{ kind: "restored", epoch: 5, kept: 60 },
  });
});

test("a checkpoint that the restore kept whole is simply continued", () => {
  for (const size of [1, 59, 60]) {
    const proof = after.consistency(size, 90);
    expect(verifyContinuation(checkpoint(before, size), newer, proof)).toEqual({ kind: "grown" });
  }
});

test("the same without a declaration is a fork", () => {
  const { restored: _, ...silent } = newer;
  for (const proof of [after.consistency(60, 90), before.consistency(90, 100), []]) {
    expect(() => verifyContinuation(older, silent, proof)).toThrow(forked);
  }
  const longer = treeOf([...numbered("a", 60), ...numbered("b", 200)]);
  expect(() => verifyContinuation(older, checkpoint(longer, 260), longer.consistency(100, 260))).toThrow(forked);
});

test("a declaration of something that is not in the log is none", () => {
  const proof = after.consistency(60, 90);
  const declared = (more: Partial<typeof restored>) => ({ ...newer, restored: { ...restored, ...more } });
  // Of other entries, of another size, and without the proof that goes with it.
  expect(() => verifyContinuation(older, declared({ root: after.root(61) }), proof)).toThrow(forked);
  expect(() => verifyContinuation(older, declared({ size: 59 }), after.consistency(59, 90))).toThrow(forked);
  expect(() => verifyContinuation(older, newer, proof.slice(1))).toThrow(forked);
  expect(() => verifyContinuation(older, newer, [])).toThrow(forked);
});

test("a restore that was declared is declared ever after, or another one since", () => {
  const known = checkpoint(after, 80, { epoch: 5, restored });
  const proof = after.consistency(80, 90);
  expect(verifyContinuation(known, newer, proof)).toEqual({ kind: "grown" });
  const { restored: _, ...silent } = newer;
  for (const later of [silent, { ...newer, restored: { ...restored, epoch: 4 } }])
    expect(() => verifyContinuation(known, { ...later, epoch: 6 }, proof)).toThrow(/declares no more the restore/);
  const since = { epoch: 6, size: 85, root: after.root(85) };
  expect(verifyContinuation(known, { ...newer, epoch: 6, restored: since }, proof)).toEqual({ kind: "grown" });
});

test("a restore that was known before excuses nothing since", () => {
  const known = checkpoint(after, 90, { epoch: 5, restored });
  const again = checkpoint(treeOf([...numbered("a", 60), ...numbered("c", 10)]), 70, { epoch: 6, restored });
  expect(proofBeginsAt(known, again)).toBe(90);
  expect(() => verifyContinuation(known, again, [])).toThrow(forked);
});

test("another log, and an older epoch, are no continuation", () => {
  const proof = before.consistency(60, 100);
  const small = checkpoint(before, 60);
  expect(() => verifyContinuation(small, { ...older, log: `l-${"1".repeat(26)}` }, proof)).toThrow(forked);
  expect(() => verifyContinuation(small, { ...older, epoch: 3 }, proof)).toThrow(forked);
  expect(verifyContinuation(small, older, proof)).toEqual({ kind: "grown" });
});
