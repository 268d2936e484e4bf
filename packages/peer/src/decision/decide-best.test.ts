import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Attributes, Path } from "../rib/path.ts";
import { chunks } from "../rib/rib.fixture.ts";
import { wordsOf } from "../wire/words.ts";
import { comparators, comparePaths } from "./decide-best.ts";

interface Traits {
  readonly peer?: string | undefined;
  readonly preference?: number;
  readonly length?: number;
  readonly origin?: string;
  readonly epoch?: number;
  readonly internal?: boolean;
}

function path({ peer, preference = 100, length = 2, origin = "n-o", epoch = 1, internal = false }: Traits): Path {
  const [chunk] = chunks(origin, ["action:a"], { epoch });
  const attributes: Attributes = {
    peer,
    internal,
    path: wordsOf(Array.from({ length }, (_, hop) => `d-${hop}`)),
    localPreference: preference,
    tags: "",
    chunk: chunk!,
  };
  return {
    name: "action:a",
    digest: "",
    repeatable: undefined,
    received: { ...attributes, uses: 1 },
    attributes,
    filtered: undefined,
    stale: false,
  };
}

const decider = (a: Path, b: Path): string | undefined => comparators.find(({ compare }) => compare(a, b) !== 0)?.name;

describe("each comparator decides where those before it do not", () => {
  const cases: readonly [name: string, better: Traits, worse: Traits][] = [
    ["ownRouteFirst", { peer: undefined, preference: 100 }, { peer: "n-1", preference: 900, length: 1 }],
    ["localPreference", { peer: "n-2", preference: 200, length: 9 }, { peer: "n-1", preference: 100, length: 1 }],
    ["pathLength", { peer: "n-2", length: 1, origin: "n-z" }, { peer: "n-1", length: 2, origin: "n-a", epoch: 5 }],
    ["origin", { peer: "n-2", origin: "n-a", epoch: 1 }, { peer: "n-1", origin: "n-b", epoch: 2 }],
    ["externalFirst", { peer: "n-2", internal: false }, { peer: "n-1", internal: true }],
    // Whoever brings the news of a restart first is no better: the others bring it in a moment, and until then would be taken back.
    ["peerNode", { peer: "n-1", epoch: 1 }, { peer: "n-2", epoch: 2 }],
  ];
  for (const [name, better, worse] of cases) {
    test(name, () => {
      expect(decider(path(better), path(worse))).toBe(name);
      expect(comparePaths(path(better), path(worse))).toBeLessThan(0);
      expect(comparePaths(path(worse), path(better))).toBeGreaterThan(0);
    });
  }

  test("and they are all there are", () => {
    expect(comparators.map(({ name }) => name)).toEqual(cases.map(([name]) => name));
  });
});

test("RFC 4724 §4.2: a stale path is as good as another", () => {
  const stale = { ...path({ peer: "n-1" }), stale: true };
  expect(comparePaths(stale, path({ peer: "n-2" }))).toBeLessThan(0);
});

test("the order of ids is that of code units, whatever the locale", () => {
  expect(comparePaths(path({ peer: "n-B" }), path({ peer: "n-a" }))).toBeLessThan(0);
});

const traits: fc.Arbitrary<Traits> = fc.record({
  peer: fc.constantFrom("n-1", "n-2", "n-3", undefined),
  preference: fc.constantFrom(100, 200),
  length: fc.constantFrom(1, 2),
  origin: fc.constantFrom("n-a", "n-b"),
  epoch: fc.constantFrom(1, 2),
  internal: fc.boolean(),
});

test("it is a total order: what is best does not follow from where the search begins", () => {
  fc.assert(
    fc.property(fc.array(traits, { minLength: 2, maxLength: 7 }), (all) => {
      const paths = all.map(path);
      const sorted = paths.toSorted(comparePaths);
      const again = paths.toReversed().sort(comparePaths);
      for (const [rank, best] of sorted.entries()) {
        expect(comparePaths(best, again[rank]!)).toBe(0);
        for (const worse of sorted.slice(rank)) expect(comparePaths(best, worse)).toBeLessThanOrEqual(0);
      }
    }),
    { numRuns: 200 },
  );
});
