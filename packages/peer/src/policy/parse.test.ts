import { describe, expect, test } from "bun:test";
import { identity } from "../origin/origin.fixture.ts";
import { parseRoutePolicy } from "./parse.ts";
import type { RoutePolicy } from "./route-policy.ts";
import { type Direction, ownerSchema } from "./schema.ts";

const policies: Record<Direction, RoutePolicy> = {
  import: {
    clauses: [
      { name: "secrets", then: "reject", match: { routes: ["action:secret.*"] } },
      {
        name: "osaka",
        then: "accept",
        match: {
          routes: ["action:*", "topic:a"],
          origins: ["n-1"],
          originDomains: ["japan"],
          through: ["korea"],
          maxPathLength: 3,
          tags: ["gold"],
        },
        set: { localPreference: 200, addTags: ["near"], removeTags: ["far"] },
        unowned: true,
      },
    ],
  },
  export: {
    clauses: [
      { name: "ours", then: "accept", match: { routes: ["*"], learnedFrom: ["self", "n-2"] }, set: { prepend: 2 } },
      { name: "the rest", then: "reject" },
    ],
  },
};
const refusal = (value: unknown, direction: Direction = "import"): string => {
  const reading = parseRoutePolicy(value, direction);
  return reading.ok ? "taken" : reading.text;
};
const one = (clause: object) => ({ clauses: [{ name: "a", then: "accept", ...clause }] });

for (const direction of ["import", "export"] as const) {
  test(`an ${direction} policy with all that one may have is taken as it is`, () => {
    expect(parseRoutePolicy(policies[direction], direction)).toEqual({ ok: true, policy: policies[direction] });
    expect(refusal({ clauses: [] }, direction)).toBe("taken");
  });
}

describe("a refusal says what, where and what to do", () => {
  const refused: [string, unknown, string][] = [
    ["no policy", null, "import routePolicy: it is not of type object"],
    ["no clauses", {}, "import routePolicy: clauses is missing"],
    ["a clause that says nothing", { clauses: [{}] }, "clauses[0].name is missing; clauses[0].then is neither"],
    [
      "a misspelt condition, which would match everything",
      one({ mach: {} }),
      'clauses[0] has "mach", which no policy has: look for a misspelling',
    ],
    [
      "a misspelt condition inside match",
      one({ match: { route: ["*"] } }),
      'clauses[0].match has "route", which no policy has',
    ],
    [
      "an empty list, which would match nothing",
      one({ match: { routes: [] } }),
      "clauses[0].match.routes is empty and would match nothing: leave it out",
    ],
    [
      "a star in the middle",
      one({ match: { routes: ["a:x", "action:*.daily"] } }),
      'clauses[0].match.routes[1] "action:*.daily" has a star that is not at its end',
    ],
    ["a name without a kind", one({ match: { routes: ["greet"] } }), '"greet" is no pattern: write `action:greet`'],
    ["a name that no route has", one({ match: { routes: ["action:a b"] } }), '"action:a b" is no pattern'],
    ["an id that is none", one({ match: { origins: ["n 1"] } }), "clauses[0].match.origins[0] is not an id"],
    [
      "a length that is none",
      one({ match: { maxPathLength: 1.5 } }),
      "maxPathLength is not a whole number from 0 to 1024",
    ],
    [
      "a preference that is none",
      one({ set: { localPreference: -1 } }),
      "localPreference is not a whole number from 0 to 4294967295",
    ],
    ["a name without anything", one({ name: "" }), "clauses[0].name is empty"],
    ["a name that is for no terminal", one({ name: "\u001b[2J" }), "clauses[0].name has control characters in it"],
    ["a name of blanks", one({ name: " " }), "clauses[0].name begins or ends with a blank"],
    ["a name too long", one({ name: "a".repeat(65) }), "clauses[0].name is longer than 64 characters"],
    [
      "two clauses of one name",
      { clauses: [...one({}).clauses, ...one({}).clauses] },
      'clauses[1].name "a" is the name of clauses[0] already',
    ],
    [
      "something to set on what is rejected",
      one({ then: "reject", set: {} }),
      "clauses[0].set stands in a clause that rejects",
    ],
    [
      "unowned routes that are rejected",
      one({ then: "reject", unowned: true }),
      "clauses[0].unowned stands in a clause that rejects",
    ],
    ["prepending on import", one({ set: { prepend: 1 } }), "clauses[0].set.prepend is of export alone"],
    [
      "learnedFrom on import",
      one({ match: { learnedFrom: ["self"] } }),
      "clauses[0].match.learnedFrom is of export alone",
    ],
  ];
  for (const [what, value, text] of refused) {
    test(what, () => {
      expect(refusal(value)).toContain(text);
    });
  }

  test("unowned on export", () => {
    expect(refusal(one({ unowned: false }), "export")).toContain(
      "export routePolicy: clauses[0].unowned is of import alone",
    );
  });

  test("too much to prepend", () => {
    expect(refusal(one({ set: { prepend: 17 } }), "export")).toContain(
      "clauses[0].set.prepend is not a whole number from 1 to 16",
    );
  });

  test("of what is wrong in many places, five and how many more", () => {
    const text = refusal({ clauses: Array.from({ length: 20 }, (_, at) => ({ name: `c${at}`, then: "maybe" })) });
    expect(text.split(";")).toHaveLength(6);
    expect(text).toEndWith("and 15 more");
  });

  test("what it shows of what was written is short and has no control characters", () => {
    const text = refusal(one({ match: { routes: [`\u009b${"x".repeat(5000)}`] }, [`\u202e${"k".repeat(5000)}`]: 1 }));
    expect(text.length).toBeLessThan(500);
    expect(text).not.toMatch(/[\u0080-\u009f\u202e]/);
  });
});

describe("bounds", () => {
  const names = (count: number, prefix: string) => Array.from({ length: count }, (_, at) => `action:${prefix}.${at}`);

  test("a thousand clauses and ten thousand patterns are taken", () => {
    const clauses = Array.from({ length: 1000 }, (_, at) => ({
      name: `c${at}`,
      then: "accept",
      match: { routes: names(10, `${at}`) },
    }));
    expect(refusal({ clauses })).toBe("taken");
    expect(refusal({ clauses: [...clauses, { name: "more", then: "reject" }] })).toContain(
      "clauses has more than 1000 clauses",
    );
  });

  test("more patterns are refused, in one clause and in all together", () => {
    expect(refusal(one({ match: { routes: names(10_001, "a") } }))).toContain("has more than 10000 patterns");
    const clauses = ["a", "b"].map((name) => ({ name, then: "accept", match: { routes: names(5001, name) } }));
    expect(refusal({ clauses })).toContain("clauses have 10002 patterns together, and 10000 is the most: use prefixes");
  });
});

describe("an owner", () => {
  const owner = { routes: ["action:pay.*"], node: "n-tokyo", keys: [identity.publicKey] };

  test("has names, a node and its keys", () => {
    expect(ownerSchema.parse(owner)).toEqual(owner);
  });

  test("needs a key, because else anybody could sign in its name", () => {
    expect(ownerSchema.safeParse({ ...owner, keys: [] }).error?.issues[0]?.message).toContain(
      "an owner proves itself by its key",
    );
  });

  for (const [what, changes] of Object.entries({
    "no names": { routes: [] },
    "a name that is none": { routes: ["pay"] },
    "a key that is none": { keys: ["AAAA"] },
    "more keys than a rotation has": { keys: [1, 2, 3].map(() => identity.publicKey) },
    "a misspelt member": { node: "n-tokyo", key: identity.publicKey },
  })) {
    test(`is refused with ${what}`, () => {
      expect(ownerSchema.safeParse({ ...owner, ...changes }).success).toBe(false);
    });
  }
});
