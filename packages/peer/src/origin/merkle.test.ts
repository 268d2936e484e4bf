import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Leaf } from "../wire/message.ts";
import { type Item, isLeaf, pruneTree, readTree } from "./merkle.ts";
import { DIGEST, routesOf, someOf } from "./origin.fixture.ts";

const rootOf = (items: readonly Item[], size: number): string => {
  const tree = readTree(items, size);
  if (!tree.ok) throw new Error(tree.text);
  return tree.root;
};
const told = (items: readonly Item[]) => items.filter(isLeaf).map(([name]) => name);

/** RFC 6962 §2.1, word for word, and nothing else. */
function merkleTreeHash(leaves: readonly Leaf[]): Buffer {
  const sha256 = (...parts: (Buffer | string)[]) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const n = leaves.length;
  if (n === 1) return sha256(Buffer.of(0), leaves[0]![0], " ", leaves[0]![1]);
  let k = 1;
  while (k * 2 < n) k *= 2;
  return sha256(Buffer.of(1), merkleTreeHash(leaves.slice(0, k)), merkleTreeHash(leaves.slice(k)));
}

const seeded = { seed: 5, numRuns: 150 };
const subset = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1024 })),
  salt: fc.integer({ min: 0, max: 1e9 }),
  share: fc.constantFrom(0.002, 0.05, 0.5, 0.95, 1),
});
/** Some leaves of so many, one of them at least. */
function disclosed({ size, salt, share }: { size: number; salt: number; share: number }) {
  const leaves = routesOf(size);
  const keep = someOf(leaves, salt, share).add(leaves[salt % size]![0]);
  return { leaves, keep, items: pruneTree(leaves, size, keep) };
}

describe("a tree", () => {
  test("is hashed as RFC 6962 §2.1 has it, whatever its size", () => {
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 100, 255, 256, 257, 1000, 1023, 1024]) {
      const leaves = routesOf(size);
      expect(rootOf(leaves, size)).toBe(merkleTreeHash(leaves).toString("base64url"));
    }
  });

  test("has these roots, for good: what is signed today is verified by tomorrow's version", () => {
    expect(rootOf([["action:greet", DIGEST]], 1)).toBe("BZYZLMHowV5Q5AT3GsSH_PniLB9VnSyefVhigkISKT0");
    expect(rootOf(routesOf(5), 5)).toBe("eLHa8UdY1qMWR863ltmM_CyCmqUZZXEYd8YndNotnHE");
    expect(
      rootOf(
        [
          ["channel:bücher", ""],
          ["topic:🎉", ""],
        ],
        2,
      ),
    ).toBe("ns-57GhxtQIZdyyHZayOZseotq6Iv3RxhMxvhuxnyhU");
  });

  test("has what is promised of a route under its root, and two elements hash as they always did", () => {
    const root = (...leaf: Leaf): string => rootOf([leaf], 1);
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");
    expect(root("action:greet", DIGEST, "idempotent")).toBe(sha256(`\0action:greet ${DIGEST} idempotent`));
    expect(root("action:greet", "", "read-only")).toBe(sha256("\0action:greet  read-only"));
    const roots = [undefined, "idempotent", "read-only"].flatMap((word) =>
      ["", DIGEST].map((digest) => root(...(["action:greet", digest, ...(word ? [word] : [])] as unknown as Leaf))),
    );
    expect(new Set(roots).size).toBe(6);
    // Pruned away, it is in the hash that stands for its leaf.
    const leaves: Leaf[] = [
      ["action:a", DIGEST, "read-only"],
      ["action:b", DIGEST],
    ];
    expect(rootOf(pruneTree(leaves, 2, new Set(["action:b"])), 2)).toBe(rootOf(leaves, 2));
  });

  test("keeps its root, whichever leaves are told", () => {
    fc.assert(
      fc.property(subset, (parameters) => {
        const { leaves, keep, items } = disclosed(parameters);
        expect(rootOf(items, leaves.length)).toBe(rootOf(leaves, leaves.length));
        expect(told(items)).toEqual([...keep].sort());
      }),
      seeded,
    );
  });

  test("is pruned step by step as it is at once, so that one set of leaves has one form", () => {
    fc.assert(
      fc.property(subset, fc.integer({ min: 0, max: 1e9 }), (parameters, salt) => {
        const { leaves, items } = disclosed(parameters);
        const fewer = someOf(leaves, salt, 0.5);
        const both = new Set(told(items).filter((name) => fewer.has(name)));
        expect(pruneTree(items, leaves.length, fewer)).toEqual(pruneTree(leaves, leaves.length, both) as Item[]);
      }),
      seeded,
    );
  });

  test("takes no more hashes than leaves that are told times the tree's height", () => {
    const leaves = routesOf(1024);
    expect(pruneTree(leaves, 1024, new Set(["action:report.00500"]))).toHaveLength(1 + 10);
  });

  test("gives the same list back where all of it is kept, and one hash where nothing is", () => {
    const leaves = routesOf(9);
    expect(pruneTree(leaves, 9, new Set(told(leaves)))).toBe(leaves);
    expect(pruneTree(leaves, 9, new Set(["action:other"]))).toEqual([[9, rootOf(leaves, 9)]]);
  });
});

describe("a tree that was tampered with", () => {
  const anything = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";
  const renamed = (item: Item): Item => (isLeaf(item) ? [`${item[0]}!`, item[1]] : [item[0] + 1, item[1]]);
  const rehashed = (item: Item): Item =>
    isLeaf(item) ? [item[0], item[1] === anything ? "" : anything] : [item[0], anything];
  const retyped = (item: Item): Item => (isLeaf(item) ? [1, anything] : ["action:report.00001~", item[1]]);
  const tampers: Record<string, (items: readonly Item[], at: number, other: number) => Item[]> = {
    "a name or a span is changed": (items, at) => items.with(at, renamed(items[at]!)),
    "a digest or a hash is changed": (items, at) => items.with(at, rehashed(items[at]!)),
    "a leaf is a hash, or a hash a leaf": (items, at) => items.with(at, retyped(items[at]!)),
    "two stand in each other's place": (items, at, other) => items.with(at, items[other]!).with(other, items[at]!),
    "one is missing": (items, at) => items.toSpliced(at, 1),
    "one is there twice": (items, at) => items.toSpliced(at, 0, items[at]!),
    "one is more": (items) => [...items, ["action:report.99999", ""]],
  };
  for (const [what, tamper] of Object.entries(tampers)) {
    test(`has another root or none: ${what}`, () => {
      fc.assert(
        fc.property(subset, fc.nat(), fc.nat(), (parameters, at, other) => {
          const { leaves, items } = disclosed(parameters);
          const tampered = tamper(items, at % items.length, other % items.length);
          fc.pre(JSON.stringify(tampered) !== JSON.stringify(items));
          const tree = readTree(tampered, leaves.length);
          if (tree.ok) expect(tree.root).not.toBe(rootOf(leaves, leaves.length));
        }),
        seeded,
      );
    });
  }

  test("has another root or none: its size is changed", () => {
    fc.assert(
      fc.property(subset, fc.integer({ min: 1, max: 1024 }), (parameters, size) => {
        const { leaves, items } = disclosed(parameters);
        fc.pre(size !== leaves.length);
        const tree = readTree(items, size);
        if (tree.ok) expect(tree.root).not.toBe(rootOf(leaves, leaves.length));
      }),
      seeded,
    );
  });

  test("has another root or none: any one item of a small tree is taken from another tree", () => {
    const leaves = routesOf(7);
    const root = rootOf(leaves, 7);
    for (let keep = 1; keep < 1 << 7; keep += 1) {
      const items = pruneTree(leaves, 7, new Set(leaves.filter((_, at) => keep & (1 << at)).map(([name]) => name)));
      for (let at = 0; at < items.length; at += 1) {
        for (const foreign of [
          ["action:foreign", ""],
          [1, anything],
          [2, anything],
          [4, anything],
        ] as const) {
          const tree = readTree(items.with(at, foreign), 7);
          if (tree.ok) expect(tree.root).not.toBe(root);
        }
      }
    }
  });
});

describe("what is no tree is unreadable", () => {
  const [a, b, c, d] = routesOf(4) as [Leaf, Leaf, Leaf, Leaf];
  const hash = rootOf([a], 1);
  const unreadable: [string, readonly Item[], number][] = [
    ["nothing", [], 1],
    ["too few leaves", [a, b], 3],
    ["too many", [a, b, c], 2],
    ["a name twice", [a, a], 2],
    ["names out of order", [b, a], 2],
    ["names out of order around a hash", [[1, hash], d, c], 3],
    ["nothing told", [[2, hash]], 2],
    ["two halves pruned, where the whole would be", [[1, hash], [1, hash], c], 3],
    ["a span where the tree has no such subtree", [[3, hash], d], 4],
    ["a span over the border of a subtree", [a, [2, hash], d], 4],
    ["a span larger than the tree", [a, [9, hash]], 2],
    ["no span", [a, [0, hash]], 2],
    ["a hash that is none", [a, [1, "AAAA"]], 2],
    // Both would be EF BF BD in UTF-8, and whoever relays "…�" could say "…\ud800".
    ["half of a surrogate pair", [["action:\ud800", ""]], 1],
    ["no leaves", [], 0],
    ["more leaves than a chunk may have", routesOf(1025), 1025],
    ["a size that is no number", [a], Number.NaN],
    ["half a leaf", [a], 0.5],
  ];
  for (const [what, items, size] of unreadable) {
    test(what, () => {
      expect(readTree(items, size)).toEqual({ ok: false, text: expect.any(String) });
    });
  }

  test("and nothing of it throws", () => {
    const name = fc.oneof(fc.string(), fc.constantFrom(...routesOf(8).map(([name]) => name)));
    const item = fc.oneof(
      fc.tuple(name, fc.constantFrom("", DIGEST)),
      fc.tuple(
        fc.oneof(fc.integer(), fc.constantFrom(1, 2, 4, 8), fc.double()),
        fc.oneof(fc.string(), fc.constant(DIGEST)),
      ),
    );
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 16 }),
        fc.oneof(fc.integer({ min: -2, max: 20 }), fc.double()),
        (items, size) => {
          const tree = readTree(items, size);
          expect(typeof (tree.ok ? tree.root : tree.text)).toBe("string");
        },
      ),
      { seed: 6, numRuns: 1000 },
    );
  });
});
