import { expect, test } from "bun:test";
import fc from "fast-check";
import { matchesPattern } from "../policy/pattern.ts";
import type { Owner } from "../policy/route-policy.ts";
import { identity, stranger } from "./origin.fixture.ts";
import { ownersOf } from "./ownership.ts";

const key = identity.publicKey;
const owners = ownersOf([
  { routes: ["action:pay", "action:report.*"], node: "n-tokyo", keys: [key] },
  { routes: ["action:report.osaka.*"], node: "n-osaka", keys: [key] },
  { routes: ["action:pay"], node: "n-kyoto", keys: [key] },
]);

test("a name that an entry covers is its node's", () => {
  expect(owners.check("action:pay", "n-tokyo")).toBe("owner");
  expect(owners.check("action:report.daily", "n-tokyo")).toBe("owner");
});

test("and nobody else's: of the owners one is told", () => {
  expect(owners.check("action:pay", "n-liar")).toEqual({ owner: "n-tokyo" });
  expect(owners.check("action:report.daily", "n-osaka")).toEqual({ owner: "n-tokyo" });
});

test("a name that several entries cover may be each one's (anycast)", () => {
  expect(owners.check("action:pay", "n-kyoto")).toBe("owner");
  expect(owners.check("action:report.osaka.daily", "n-osaka")).toBe("owner");
  expect(owners.check("action:report.osaka.daily", "n-tokyo")).toBe("owner");
});

test("what no entry covers is unowned", () => {
  expect(owners.check("action:payroll", "n-tokyo")).toBe("unowned");
  expect(owners.check("action:report", "n-tokyo")).toBe("unowned");
  expect(ownersOf([]).check("action:pay", "n-liar")).toBe("unowned");
});

test("a node's keys are those of all its entries, each once", () => {
  const list = ownersOf([
    { routes: ["action:a"], node: "n-tokyo", keys: [key] },
    { routes: ["action:b"], node: "n-tokyo", keys: [key, stranger.publicKey] },
  ]);
  expect(list.keysOf("n-tokyo")).toEqual([key, stranger.publicKey]);
  expect(list.keysOf("n-osaka")).toBeUndefined();
});

test("an owner without a key can prove nothing: the name is closed to everybody", () => {
  const list = ownersOf([{ routes: ["action:pay"], node: "n-tokyo", keys: [] }]);
  expect(list.check("action:pay", "n-tokyo")).toEqual({ owner: "n-tokyo" });
});

test("it decides as a list that is read from the top", () => {
  const pattern = fc.constantFrom(
    "*",
    "action:*",
    "action:a*",
    "action:a",
    "action:ab",
    "action:ab*",
    "topic:a",
    "topic:*",
  );
  const owner: fc.Arbitrary<Owner> = fc.record({
    routes: fc.array(pattern, { minLength: 1, maxLength: 3 }),
    node: fc.constantFrom("n-1", "n-2", "n-3"),
    keys: fc.constant([key]),
  });
  const name = fc.constantFrom("action:a", "action:ab", "action:abc", "action:b", "topic:a", "topic:b", "channel:a");
  fc.assert(
    fc.property(
      fc.array(owner, { maxLength: 5 }),
      name,
      fc.constantFrom("n-1", "n-2", "n-3", "n-4"),
      (list, name, node) => {
        const covering = list.filter(({ routes }) => routes.some((pattern) => matchesPattern(pattern, name)));
        const mine = covering.some((owner) => owner.node === node);
        const verdict = ownersOf(list).check(name, node);
        if (covering.length === 0) expect(verdict).toBe("unowned");
        else if (mine) expect(verdict).toBe("owner");
        else expect(covering.map((owner) => owner.node)).toContain((verdict as { owner: string }).owner);
      },
    ),
    { seed: 9, numRuns: 500 },
  );
});
