import { expect, test } from "bun:test";
import { listOf, wordsOf } from "../wire/words.ts";
import { applySet } from "./apply-set.ts";
import type { RouteClause } from "./route-policy.ts";

const attributes = { path: "korea japan", localPreference: 100, tags: "gold eu", peer: "n-seoul" };
const accept = (set: RouteClause["set"]): RouteClause =>
  set === undefined ? { name: "c", then: "accept" } : { name: "c", then: "accept", set };

test("a clause that sets nothing new gives the same object", () => {
  for (const set of [undefined, {}, { localPreference: 100 }, { addTags: ["gold"] }, { removeTags: ["silver"] }]) {
    expect(applySet(attributes, accept(set))).toBe(attributes);
  }
  expect(applySet(attributes, undefined)).toBe(attributes);
});

test("what is not set stays as it came", () => {
  expect(applySet(attributes, accept({ localPreference: 200 }))).toEqual({ ...attributes, localPreference: 200 });
  expect(applySet(attributes, accept({ localPreference: 0 })).localPreference).toBe(0);
});

test("tags are removed first and then added, each once", () => {
  expect(applySet(attributes, accept({ removeTags: ["eu"], addTags: ["silver", "gold", "silver"] })).tags).toBe(
    "gold silver",
  );
  expect(applySet(attributes, accept({ removeTags: ["gold", "eu"], addTags: ["gold"] })).tags).toBe("gold");
});

test("where there would be more than 32 tags, those that we add stay", () => {
  const many = { ...attributes, tags: wordsOf(Array.from({ length: 32 }, (_, at) => `t${at}`)) };
  const tags = listOf(applySet(many, accept({ addTags: ["ours", "too"] })).tags);
  expect(tags).toHaveLength(32);
  expect(tags.slice(-3)).toEqual(["t29", "ours", "too"]);
});

test("our domain is prepended so many times more where the route leaves for another domain", () => {
  expect(applySet(attributes, accept({ prepend: 2 }), "us").path).toBe("us us korea japan");
});

test("RFC 4271 §5.1.2: inside a domain the path stays as it is", () => {
  expect(applySet(attributes, accept({ prepend: 2 }))).toBe(attributes);
});
