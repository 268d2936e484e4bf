// Trees and proofs against known vectors and at the edges of their numbers. Proofs by the thousand are in test/proof.

import { describe, expect, test } from "bun:test";
import { CompactRange, EMPTY_ROOT, leafHash, nodeHash, verifyConsistency, verifyInclusion } from "./merkle.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

// The leaves and roots that implementations of RFC 6962 have tested themselves with since the first one of Certificate
// Transparency's.
const LEAVES = [
  ...["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map(bytes),
];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

test("the roots of RFC 6962's trees of 0 to 8 leaves are the known ones", () => {
  const range = new CompactRange();
  expect(hex(range.root())).toBe(ROOTS[0] as string);
  LEAVES.forEach((leaf, i) => {
    range.append(leafHash(leaf));
    expect([range.size, hex(range.root())]).toEqual([i + 1, ROOTS[i + 1] as string]);
  });
});

test("a text is hashed as its UTF-8", () => {
  expect(leafHash('{"id":"é"}')).toEqual(leafHash(new TextEncoder().encode('{"id":"é"}')));
});

// RFC 6962 §2.1.3: the tree of seven leaves, and the names that its figure gives to the nodes.
const [a, b, c, d, e, f, j] = Array.from("0123456", (n) => leafHash(`d${n}`)) as [
  ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array],
];
const [g, h, i] = [nodeHash(a, b), nodeHash(c, d), nodeHash(e, f)];
const [k, l] = [nodeHash(g, h), nodeHash(i, j)];
const hash = nodeHash(k, l);
const hash0 = nodeHash(g, c);
const hash2 = nodeHash(k, i);

describe("RFC 6962 §2.1.3", () => {
  test("the audit paths of d0, d3, d4 and d6", () => {
    for (const [index, leaf, proof] of [
      [0, a, [b, h, l]],
      [3, d, [c, g, l]],
      [4, e, [f, j, k]],
      [6, j, [i, k]],
    ] as const) {
      expect(verifyInclusion({ index, leaf, proof, size: 7, root: hash })).toBe(true);
      for (let other = 0; other < 8; other++) {
        if (other !== index) expect(verifyInclusion({ index: other, leaf, proof, size: 7, root: hash })).toBe(false);
      }
    }
  });

  test("the consistency proofs from 3, 4 and 6 leaves to 7", () => {
    for (const [from, fromRoot, proof] of [
      [3, hash0, [c, d, g, l]],
      [4, k, [l]],
      [6, hash2, [i, j, k]],
    ] as const) {
      const claim = { from, fromRoot, proof, to: 7, toRoot: hash };
      expect(verifyConsistency(claim)).toBe(true);
      expect(verifyConsistency({ ...claim, toRoot: hash2 })).toBe(false);
      expect(verifyConsistency({ ...claim, fromRoot: hash })).toBe(false);
    }
  });
});

test("a proof binds a root, and a size only together with its root: that is why both are signed", () => {
  // d0's path in the tree of three leaves has the same shape in that of four.
  const root = nodeHash(g, c);
  const claim = { index: 0, leaf: a, proof: [b, c], root };
  expect(verifyInclusion({ ...claim, size: 3 })).toBe(true);
  expect(verifyInclusion({ ...claim, size: 4 })).toBe(true);
  expect(verifyInclusion({ ...claim, size: 4, root: k })).toBe(false);
});

test("a proof that is too long or too short for its sizes is refused, whatever the roots were made to be", () => {
  expect(verifyInclusion({ index: 0, size: 1, leaf: a, proof: [b], root: nodeHash(b, a) })).toBe(false);
  expect(verifyInclusion({ index: 1, size: 2, leaf: b, proof: [a, c], root: nodeHash(c, g) })).toBe(false);
  expect(verifyInclusion({ index: 0, size: 3, leaf: a, proof: [b], root: g })).toBe(false);
  // From three leaves to four the proof is c, d, g; what comes after it would go on over both roots.
  const claim = { from: 3, to: 4, fromRoot: hash0, toRoot: k, proof: [c, d, g] };
  expect(verifyConsistency(claim)).toBe(true);
  const longer = { fromRoot: nodeHash(e, hash0), toRoot: nodeHash(e, k), proof: [c, d, g, e] };
  expect(verifyConsistency({ ...claim, ...longer })).toBe(false);
  expect(verifyConsistency({ ...claim, to: 8 })).toBe(false);
  // The smaller tree does not begin with the larger.
  const backwards = { from: 3, to: 2, fromRoot: a, toRoot: nodeHash(a, b), proof: [a, b] };
  expect(verifyConsistency(backwards)).toBe(false);
});

describe("at the edges", () => {
  test("a tree of one leaf is its own proof", () => {
    expect(verifyInclusion({ index: 0, size: 1, leaf: a, proof: [], root: a })).toBe(true);
    expect(verifyInclusion({ index: 0, size: 1, leaf: a, proof: [], root: b })).toBe(false);
    expect(verifyInclusion({ index: 0, size: 1, leaf: a, proof: [b], root: nodeHash(a, b) })).toBe(false);
  });

  test("the empty tree holds nothing, and is the beginning of every tree", () => {
    expect(verifyInclusion({ index: 0, size: 0, leaf: a, proof: [], root: EMPTY_ROOT })).toBe(false);
    expect(verifyConsistency({ from: 0, to: 7, fromRoot: EMPTY_ROOT, toRoot: hash, proof: [] })).toBe(true);
    expect(verifyConsistency({ from: 0, to: 0, fromRoot: EMPTY_ROOT, toRoot: EMPTY_ROOT, proof: [] })).toBe(true);
    expect(verifyConsistency({ from: 0, to: 0, fromRoot: a, toRoot: a, proof: [] })).toBe(false);
    expect(verifyConsistency({ from: 0, to: 7, fromRoot: a, toRoot: hash, proof: [] })).toBe(false);
    expect(verifyConsistency({ from: 0, to: 7, fromRoot: EMPTY_ROOT, toRoot: hash, proof: [a] })).toBe(false);
  });

  test("a tree is consistent with itself without a proof, and with no other tree of its size", () => {
    expect(verifyConsistency({ from: 7, to: 7, fromRoot: hash, toRoot: hash, proof: [] })).toBe(true);
    expect(verifyConsistency({ from: 7, to: 7, fromRoot: hash, toRoot: hash2, proof: [] })).toBe(false);
    expect(verifyConsistency({ from: 7, to: 7, fromRoot: hash, toRoot: hash, proof: [a] })).toBe(false);
  });

  test("sizes that are no sizes are refused", () => {
    const proof = [b, h, l];
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 60, "7", 7n, null, undefined]) {
      const size = wrong as number;
      expect(verifyInclusion({ index: 0, size, leaf: a, proof, root: hash })).toBe(false);
      expect(verifyInclusion({ index: size, size: 7, leaf: a, proof, root: hash })).toBe(false);
      expect(verifyConsistency({ from: size, to: 7, fromRoot: hash0, toRoot: hash, proof: [c, d, g, l] })).toBe(false);
      expect(verifyConsistency({ from: 3, to: size, fromRoot: hash0, toRoot: hash, proof: [c, d, g, l] })).toBe(false);
    }
    expect(verifyConsistency({ from: 7, to: 3, fromRoot: hash, toRoot: hash0, proof: [c, d, g, l] })).toBe(false);
  });

  test("what is not 32 bytes is no hash", () => {
    const short = a.subarray(1);
    const long = new Uint8Array(33);
    for (const wrong of [short, long, new Uint8Array(0), "a".repeat(32) as never, undefined as never]) {
      expect(verifyInclusion({ index: 0, size: 7, leaf: wrong, proof: [b, h, l], root: hash })).toBe(false);
      expect(verifyInclusion({ index: 0, size: 7, leaf: a, proof: [b, wrong, l], root: hash })).toBe(false);
      expect(verifyInclusion({ index: 0, size: 7, leaf: a, proof: [b, h, l], root: wrong })).toBe(false);
      expect(verifyConsistency({ from: 4, to: 7, fromRoot: k, toRoot: hash, proof: [wrong] })).toBe(false);
      expect(verifyConsistency({ from: 4, to: 7, fromRoot: wrong, toRoot: hash, proof: [l] })).toBe(false);
    }
  });

  test("a huge size costs no more than its proof, and an endless proof nothing", () => {
    const largest = Number.MAX_SAFE_INTEGER;
    // It says that it is long before it is looked into: whoever looked would throw.
    const endless = new Proxy([] as Uint8Array[], {
      get(_target, name) {
        if (name === "length") return 2 ** 32 - 1;
        throw new Error("the proof was looked into");
      },
    });
    for (const proof of [[], [a], Array(53).fill(a), Array(54).fill(a), Array(55).fill(a), endless]) {
      for (const index of [0, 1, 2 ** 31, 2 ** 32, 2 ** 52, largest - 1]) {
        expect(verifyInclusion({ index, size: largest, leaf: a, proof, root: hash })).toBe(false);
        expect(verifyConsistency({ from: index, to: largest, fromRoot: a, toRoot: hash, proof })).toBe(false);
      }
    }
  });
});
