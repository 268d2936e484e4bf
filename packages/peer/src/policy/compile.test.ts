import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { listOf, wordsOf } from "../wire/words.ts";
import { compilePolicy, type PolicyPlace } from "./compile.ts";
import { matchesPattern } from "./pattern.ts";
import type { PolicyRoute, PolicyVerdict, RouteClause, RouteMatch, RoutePolicy } from "./route-policy.ts";

const ROUTE: PolicyRoute = {
  name: "action:report.daily",
  origin: "n-tokyo",
  originDomain: "japan",
  path: "korea japan",
  tags: "gold eu",
  learnedFrom: "n-seoul",
};
const IMPORT: PolicyPlace = { direction: "import", internal: false };
const clause = (name: string, then: RouteClause["then"], match?: RouteMatch): RouteClause =>
  match === undefined ? { name, then } : { name, then, match };
const decidedBy = (clauses: readonly RouteClause[], route: Partial<PolicyRoute> = {}) => {
  const { accepted, clause } = compilePolicy({ clauses }, IMPORT)({ ...ROUTE, ...route });
  return `${accepted ? "accept" : "reject"} ${clause?.name ?? "by default"}`;
};

describe("RFC 8212 §3: what no clause matches", () => {
  for (const direction of ["import", "export"] as const) {
    test(`does not cross a border: ${direction} between domains`, () => {
      expect(compilePolicy({ clauses: [] }, { direction, internal: false })(ROUTE)).toEqual({
        accepted: false,
        clause: undefined,
      });
    });
    test(`passes inside a domain: ${direction}`, () => {
      expect(compilePolicy({ clauses: [] }, { direction, internal: true })(ROUTE)).toEqual({
        accepted: true,
        clause: undefined,
      });
    });
  }

  test("is what a policy of other routes leaves", () => {
    expect(decidedBy([clause("others", "accept", { routes: ["action:other"] })])).toBe("reject by default");
  });
});

describe("a clause", () => {
  test("without a match matches every route", () => {
    expect(decidedBy([clause("all", "accept")])).toBe("accept all");
    expect(decidedBy([clause("all", "accept", {})])).toBe("accept all");
  });

  const matches: [string, RouteMatch, Partial<PolicyRoute>][] = [
    ["a name", { routes: ["action:report.daily"] }, { name: "action:report.daily2" }],
    ["a prefix", { routes: ["action:report.*"] }, { name: "action:report" }],
    ["an origin", { origins: ["n-tokyo"] }, { origin: "n-seoul" }],
    ["an origin's domain", { originDomains: ["japan"] }, { originDomain: "korea" }],
    ["a domain on the way", { through: ["korea"] }, { path: "china japan" }],
    ["the path's length", { maxPathLength: 2 }, { path: "a b japan" }],
    ["a tag", { tags: ["silver", "gold"] }, { tags: "eu" }],
    ["whom it was learned from", { learnedFrom: ["n-seoul"] }, { learnedFrom: "self" }],
  ];
  for (const [what, match, other] of matches) {
    test(`may ask for ${what}`, () => {
      expect(decidedBy([clause("asks", "accept", match)])).toBe("accept asks");
      expect(decidedBy([clause("asks", "accept", match)], other)).toBe("reject by default");
    });
  }

  test("asks for all that it names: any one that does not hold is enough", () => {
    const match: RouteMatch = { routes: ["*"], tags: ["gold"], maxPathLength: 2, origins: ["n-tokyo"] };
    expect(decidedBy([clause("all", "accept", match)])).toBe("accept all");
    expect(decidedBy([clause("all", "accept", match)], { tags: "" })).toBe("reject by default");
  });
});

test("the first clause that matches decides, whether it names the route, its prefix or nothing", () => {
  const exact = clause("exact", "accept", { routes: ["action:report.daily"] });
  const prefix = clause("prefix", "reject", { routes: ["action:*"] });
  const all = clause("all", "accept");
  expect(decidedBy([exact, prefix, all])).toBe("accept exact");
  expect(decidedBy([prefix, exact, all])).toBe("reject prefix");
  expect(decidedBy([all, prefix, exact])).toBe("accept all");
  expect(decidedBy([clause("gold", "reject", { tags: ["silver"] }), exact])).toBe("accept exact");
});

/** What route-policy.ts says, read from the top. */
function interpret({ clauses }: RoutePolicy, place: PolicyPlace, route: PolicyRoute): PolicyVerdict {
  for (const clause of clauses) {
    const match = clause.match ?? {};
    const holds =
      (match.routes === undefined || match.routes.some((pattern) => matchesPattern(pattern, route.name))) &&
      (match.origins === undefined || match.origins.includes(route.origin)) &&
      (match.originDomains === undefined || match.originDomains.includes(route.originDomain)) &&
      (match.through === undefined || match.through.some((domain) => listOf(route.path).includes(domain))) &&
      (match.maxPathLength === undefined || listOf(route.path).length <= match.maxPathLength) &&
      (match.tags === undefined || match.tags.some((tag) => listOf(route.tags).includes(tag))) &&
      (match.learnedFrom === undefined || match.learnedFrom.includes(route.learnedFrom));
    if (holds) return { accepted: clause.then === "accept", clause };
  }
  return { accepted: place.internal, clause: undefined };
}

describe("a compiled policy decides as one that is read from the top", () => {
  const word = fc.constantFrom("a", "b", "c");
  const words = fc.uniqueArray(word, { minLength: 1, maxLength: 2 });
  const pattern = fc.constantFrom("*", "x:*", "x:a", "x:a*", "x:ab", "x:ab*", "x:b", "y:*", "y:a", "x*");
  const match = fc.record(
    {
      routes: fc.array(pattern, { minLength: 1, maxLength: 3 }),
      origins: words,
      originDomains: words,
      through: words,
      maxPathLength: fc.integer({ min: 0, max: 3 }),
      tags: words,
      learnedFrom: words,
    },
    { requiredKeys: [] },
  );
  const clauses = fc.array(fc.record({ match, then: fc.constantFrom("accept" as const, "reject" as const) }), {
    maxLength: 12,
  });
  const route: fc.Arbitrary<PolicyRoute> = fc.record({
    name: fc.constantFrom("x:a", "x:ab", "x:abc", "x:b", "x:c", "y:a", "y:b", "z:a"),
    origin: word,
    originDomain: word,
    path: fc.array(word, { maxLength: 4 }).map(wordsOf),
    tags: fc.array(word, { maxLength: 2 }).map(wordsOf),
    learnedFrom: fc.constantFrom("a", "b", "c", "self" as const),
  });

  test("whatever the clauses, the route and the place", () => {
    fc.assert(
      fc.property(clauses, fc.array(route, { minLength: 1, maxLength: 8 }), fc.boolean(), (list, routes, internal) => {
        const policy = { clauses: list.map((clause, at) => ({ name: `clause ${at}`, ...clause })) };
        const place: PolicyPlace = { direction: "import", internal };
        const compiled = compilePolicy(policy, place);
        for (const each of routes) expect(compiled(each)).toEqual(interpret(policy, place, each));
      }),
      { seed: 3, numRuns: 1000 },
    );
  });
});

test("of a policy of ten thousand names, a route is held against the one clause that names it", () => {
  const namesOf = (at: number) => Array.from({ length: 10 }, (_, name) => `action:${at}.${name}`);
  const clauses = Array.from({ length: 1000 }, (_, at) =>
    clause(`clause ${at}`, "accept", { routes: namesOf(at), maxPathLength: 9 }),
  );
  let asked = 0;
  const route: PolicyRoute = {
    ...ROUTE,
    name: "action:999.9",
    get path() {
      asked += 1;
      return ROUTE.path;
    },
  };
  expect(compilePolicy({ clauses }, IMPORT)(route).clause?.name).toBe("clause 999");
  expect(asked).toBe(1);
});
