import { expect, test } from "bun:test";
import { describeClause } from "./describe.ts";

test("a clause is told in a line", () => {
  expect(describeClause({ name: "c", then: "reject", match: { routes: ["action:secret.*"] } })).toBe(
    "reject action:secret.*",
  );
  expect(describeClause({ name: "c", then: "accept" })).toBe("accept everything");
});

test("with all that it asks for and all that it sets", () => {
  const line = describeClause({
    name: "c",
    then: "accept",
    match: {
      routes: ["action:a", "action:b"],
      origins: ["n-1"],
      originDomains: ["japan"],
      through: ["korea"],
      maxPathLength: 3,
      tags: ["gold"],
      learnedFrom: ["self"],
    },
    set: { localPreference: 0, prepend: 2, addTags: ["near"], removeTags: ["far"] },
    unowned: true,
  });
  expect(line).toBe(
    "accept action:a, action:b of n-1 of domain japan through korea over at most 3 domains tagged gold learned from self" +
      " even if nobody owns it; localPreference 0; prepend 2; without far; tagged near",
  );
});

test("and no longer than a line, however much it lists", () => {
  const routes = Array.from({ length: 1000 }, (_, at) => `action:${at}`);
  expect(describeClause({ name: "c", then: "accept", match: { routes } })).toBe(
    "accept action:0, action:1, action:2 and 997 more",
  );
});
