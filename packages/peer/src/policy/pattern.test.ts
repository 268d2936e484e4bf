import { expect, test } from "bun:test";
import { matchesPattern, PatternIndex } from "./pattern.ts";

const NAMES = ["action:greet", "action:report.daily", "action:report", "action:*", "action:a*b", "topic:action.greet"];
const matched = (pattern: string) => NAMES.filter((name) => matchesPattern(pattern, name));

test("a pattern is a name, or what a name begins with and a star", () => {
  expect(matched("action:greet")).toEqual(["action:greet"]);
  expect(matched("action:report.*")).toEqual(["action:report.daily"]);
  expect(matched("action:report*")).toEqual(["action:report.daily", "action:report"]);
  expect(matched("action:*")).toEqual(NAMES.filter((name) => name.startsWith("action:")));
  expect(matched("*")).toEqual(NAMES);
  expect(matched("action:gree")).toEqual([]);
});

test("a star inside a name is an ordinary character", () => {
  expect(matched("action:a*b")).toEqual(["action:a*b"]);
});

test("an index finds what stands behind every pattern that matches, in the order in which it was added", () => {
  const index = new PatternIndex<number>();
  for (const [at, pattern] of [
    "*",
    "action:greet",
    "action:*",
    "action:greet",
    "action:g*",
    "topic:*",
    "action:*",
  ].entries()) {
    index.add(pattern, at);
  }
  expect(index.find("action:greet").toSorted()).toEqual([[0], [1, 3], [2, 6], [4]]);
  expect(index.find("channel:books")).toEqual([[0]]);
  expect(index.find("")).toEqual([[0]]);
});

test("an index finds what was added after it was asked", () => {
  const index = new PatternIndex<number>();
  index.add("topic:*", 0);
  index.add("action:b*", 1);
  expect(index.find("action:greet")).toEqual([]);
  index.add("action:*", 2);
  expect(index.find("action:greet")).toEqual([[2]]);
  index.add("action:g*", 3);
  expect(index.find("action:hello")).toEqual([[2]]);
  expect(index.find("action:greet")).toEqual([[2], [3]]);
});

test("a pattern that comes later is found as well", () => {
  const index = new PatternIndex<number>();
  index.add("a:x*", 1);
  expect(index.find("a:y")).toEqual([]);
  index.add("a:y*", 2);
  expect(index.find("a:y")).toEqual([[2]]);
});

test("what was found for one name is not what is found for the next", () => {
  const index = new PatternIndex<number>();
  for (const [at, pattern] of ["*", "a:*", "a:b*", "a:bc*", "b:*", "a:b"].entries()) index.add(pattern, at);
  const names = ["a:b", "a:bcd", "a:", "b:x", "a", "", "a:bc", "a:c", "b:", "a:b"];
  for (const first of names) {
    for (const second of names) {
      index.find(first);
      const fresh = new PatternIndex<number>();
      for (const [at, pattern] of ["*", "a:*", "a:b*", "a:bc*", "b:*", "a:b"].entries()) fresh.add(pattern, at);
      expect(index.find(second)).toEqual(fresh.find(second));
    }
  }
});
