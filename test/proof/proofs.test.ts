// Proofs made by one implementation and verified by another: 500 that hold and 500 that were spoiled, of each kind.

import { describe, expect, test } from "bun:test";
import { verifyConsistency, verifyInclusion } from "@capstan/orchestrator";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { type Bytes, EvenLog, leafOf, MTH, PATH, PROOF } from "./rfc6962.ts";

const CASES = 500;
const MOST_LEAVES = 300;
const LARGEST = Number.MAX_SAFE_INTEGER;

const log = (random: SeededRandom, size: number): Bytes[] =>
  Array.from({ length: size }, () => Uint8Array.from({ length: random.upTo(60) }, () => random.upTo(256) - 1));
const another = (random: SeededRandom, most: number, not: number): number => {
  for (;;) {
    const number = random.upTo(most);
    if (number !== not) return number;
  }
};
const otherHash = (random: SeededRandom): Bytes => leafOf(Uint8Array.of(0xff, random.upTo(256) - 1));

function flipped(random: SeededRandom, bytes: Bytes): Bytes {
  const copy = Uint8Array.from(bytes);
  const at = random.upTo(copy.length) - 1;
  copy[at] = (copy[at] as number) ^ (1 << (random.upTo(8) - 1));
  return copy;
}

/** A proof with one thing wrong in itself. */
function spoiledProof(random: SeededRandom, proof: readonly Bytes[]): readonly Bytes[] {
  const at = random.upTo(Math.max(proof.length, 1)) - 1;
  const hash = proof[at];
  if (hash === undefined) return [otherHash(random)];
  const swapped = proof.findIndex((one, i) => i > at && !Buffer.from(one).equals(hash));
  return random.pick([
    () => proof.with(at, flipped(random, hash)),
    () => proof.with(at, otherHash(random)),
    () => proof.with(at, hash.subarray(1)),
    () => proof.with(at, Uint8Array.of(...hash, 0)),
    () => proof.toSpliced(at, 1),
    () => proof.toSpliced(at, 0, hash),
    () => [...proof, hash],
    () => [otherHash(random), ...proof],
    () => [],
    () => (swapped < 0 ? [] : proof.with(at, proof[swapped] as Bytes).with(swapped, hash)),
  ])();
}

describe("inclusion", () => {
  function valid(random: SeededRandom) {
    const D = log(random, random.upTo(MOST_LEAVES));
    const index = random.upTo(D.length) - 1;
    return {
      D,
      claim: { index, size: D.length, leaf: leafOf(D[index] as Bytes), proof: PATH(index, D), root: MTH(D) },
    };
  }

  test(`${CASES} proofs hold`, () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < CASES; i++) expect(verifyInclusion(valid(random).claim)).toBe(true);
  });

  test(`${CASES} spoiled proofs are refused`, () => {
    const random = new SeededRandom(2);
    let refused = 0;
    for (let i = 0; i < CASES; i++) {
      const { D, claim } = valid(random);
      const { index, size } = claim;
      // A tree's size and root are signed together: the wrong size comes with its own root.
      const fewer = random.upTo(size) - 1;
      const more = [...D, ...log(random, random.upTo(20))];
      const spoiled = random.pick([
        () => ({ ...claim, proof: spoiledProof(random, claim.proof) }),
        () => ({ ...claim, proof: spoiledProof(random, claim.proof) }),
        () => ({ ...claim, proof: spoiledProof(random, claim.proof) }),
        () => ({ ...claim, leaf: flipped(random, claim.leaf) }),
        () => ({ ...claim, leaf: leafOf(Uint8Array.of(index & 255, 1, 2, 3)) }),
        () => ({ ...claim, root: flipped(random, claim.root) }),
        () => ({ ...claim, index: size === 1 ? 1 : another(random, size, index + 1) - 1 }),
        () => ({ ...claim, index: size + random.upTo(9) - 1 }),
        () => ({ ...claim, size: more.length, root: MTH(more) }),
        () => ({ ...claim, size: fewer, root: MTH(D.slice(0, fewer)) }),
      ])();
      if (!verifyInclusion(spoiled)) refused++;
    }
    expect(refused).toBe(CASES);
  });

  test("every leaf of every tree of up to 40 leaves, under every index", () => {
    const D = log(new SeededRandom(3), 40);
    for (let size = 1; size <= D.length; size++) {
      const tree = D.slice(0, size);
      const root = MTH(tree);
      for (let m = 0; m < size; m++) {
        const proof = PATH(m, tree);
        const leaf = leafOf(tree[m] as Bytes);
        for (let index = 0; index <= size; index++) {
          expect(verifyInclusion({ index, size, leaf, proof, root })).toBe(index === m);
        }
      }
    }
  });

  test("in trees of up to 2^53 - 1 leaves", () => {
    const even = new EvenLog(Uint8Array.of(7));
    const random = new SeededRandom(4);
    for (const size of hugeSizes(random)) {
      for (const index of [0, 1, size - 1, size - 2, Math.floor(size / 2), Math.floor(random.next() * size)]) {
        const claim = { index, size, leaf: even.leaf, proof: even.PATH(index, size), root: even.MTH(size) };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, proof: spoiledProof(random, claim.proof) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: claim.proof.slice(1) })).toBe(false);
        expect(verifyInclusion({ ...claim, root: even.MTH(size - 1) })).toBe(false);
        expect(verifyInclusion({ ...claim, index: size })).toBe(false);
      }
    }
    expect(even.PATH(0, LARGEST)).toHaveLength(53);
    // One more leaf, and numbers are no longer exact.
    const size = LARGEST + 1;
    const claim = { index: 0, size, leaf: even.leaf, proof: even.PATH(0, size), root: even.MTH(size) };
    expect(verifyInclusion(claim)).toBe(false);
  });
});

describe("consistency", () => {
  function valid(random: SeededRandom) {
    const D = log(random, 1 + random.upTo(MOST_LEAVES - 1));
    const from = random.upTo(D.length - 1);
    const roots = { fromRoot: MTH(D.slice(0, from)), toRoot: MTH(D) };
    return { D, claim: { from, to: D.length, ...roots, proof: PROOF(from, D) } };
  }

  test(`${CASES} proofs hold`, () => {
    const random = new SeededRandom(5);
    for (let i = 0; i < CASES; i++) expect(verifyConsistency(valid(random).claim)).toBe(true);
  });

  test(`${CASES} spoiled proofs are refused`, () => {
    const random = new SeededRandom(6);
    let refused = 0;
    for (let i = 0; i < CASES; i++) {
      const { D, claim } = valid(random);
      const { from, to } = claim;
      const other = to === 2 ? 0 : another(random, to - 1, from);
      const rewritten = D.with(random.upTo(from) - 1, Uint8Array.of(1, 2, 3));
      const more = [...D, ...log(random, random.upTo(20))];
      const spoiled = random.pick([
        () => ({ ...claim, proof: spoiledProof(random, claim.proof) }),
        () => ({ ...claim, proof: spoiledProof(random, claim.proof) }),
        () => ({ ...claim, proof: spoiledProof(random, claim.proof) }),
        () => ({ ...claim, fromRoot: flipped(random, claim.fromRoot) }),
        () => ({ ...claim, toRoot: flipped(random, claim.toRoot) }),
        () => ({ ...claim, fromRoot: claim.toRoot, toRoot: claim.fromRoot }),
        () => ({ ...claim, from: other, fromRoot: MTH(D.slice(0, other)) }),
        () => ({ ...claim, to: more.length, toRoot: MTH(more) }),
        () => ({ ...claim, from: to, to: from }),
        // What a consistency proof is for: an entry before `from` was changed, and the log signs both.
        () => ({ ...claim, toRoot: MTH(rewritten), proof: PROOF(from, rewritten) }),
        () => ({
          ...claim,
          toRoot: MTH(D.toSpliced(0, 1)),
          to: to - 1,
          proof: from < to - 1 ? PROOF(from, D.slice(1)) : [],
        }),
      ])();
      if (!verifyConsistency(spoiled)) refused++;
    }
    expect(refused).toBe(CASES);
  });

  test("every pair of trees of up to 40 leaves, under every size before", () => {
    const D = log(new SeededRandom(7), 40);
    const roots = D.map((_, i) => MTH(D.slice(0, i + 1)));
    for (let to = 2; to <= D.length; to++) {
      for (let m = 1; m < to; m++) {
        const proof = PROOF(m, D.slice(0, to));
        for (let from = 1; from < to; from++) {
          const claim = { from, to, fromRoot: roots[from - 1] as Bytes, toRoot: roots[to - 1] as Bytes, proof };
          expect(verifyConsistency(claim)).toBe(from === m);
        }
      }
    }
  });

  test("of trees of up to 2^53 - 1 leaves", () => {
    const even = new EvenLog(Uint8Array.of(7));
    const random = new SeededRandom(8);
    for (const to of hugeSizes(random)) {
      for (const from of [1, 2, 3, to - 1, Math.floor(to / 2), 2 ** 31, 1 + Math.floor(random.next() * (to - 1))]) {
        const claim = { from, to, fromRoot: even.MTH(from), toRoot: even.MTH(to), proof: even.PROOF(from, to) };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, proof: spoiledProof(random, claim.proof) })).toBe(false);
        expect(verifyConsistency({ ...claim, fromRoot: even.MTH(from + 1) })).toBe(false);
        expect(verifyConsistency({ ...claim, to: from, toRoot: claim.fromRoot })).toBe(false);
        expect(verifyConsistency({ ...claim, toRoot: even.MTH(to - 1) })).toBe(false);
      }
    }
    // One longer than any audit path: it begins with a leaf of the deepest level.
    expect(even.PROOF(LARGEST - 2, LARGEST)).toHaveLength(54);
  });
});

function hugeSizes(random: SeededRandom): number[] {
  const random53 = Array.from({ length: 20 }, () => 2 ** 32 + Math.floor(random.next() * (LARGEST - 2 ** 32)));
  return [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 123, 2 ** 52, 2 ** 52 + 1, LARGEST - 1, LARGEST, ...random53];
}
