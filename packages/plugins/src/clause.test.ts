// Clauses: what they say, what they cover, and that covering means what it says, for whatever clauses there are.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Asked,
  type Clause,
  covers,
  firstMatch,
  formatAsked,
  matches,
  mismatch,
  namespaceCovers,
  narrow,
  parseClause,
} from "./clause.ts";

const clause = (text: string): Clause => parseClause(text) as Clause;
const asked = (text: string): Asked => {
  const { resource, verb, name } = clause(text);
  return { resource, verb, name };
};

// Few letters, so that what is made up often has to do with one another.
const word = fc.constantFrom("action", "grant", "log");
const verb = fc.constantFrom("perform", "list", "remove");
const name = fc.string({ unit: fc.constantFrom("a", "b", "/"), minLength: 1, maxLength: 4 });
const pattern = fc.oneof(
  fc.constantFrom("*", "**", "a**", "*a"),
  name,
  name.map((one) => `${one}*`),
);
const clauses: fc.Arbitrary<string> = fc
  .tuple(fc.oneof(word, fc.constant("*")), fc.oneof(verb, fc.constant("*")), fc.option(pattern))
  .map(([resource, one, target]) => `${resource}.${one}${target === null ? "" : `:${target}`}`);
const questions: fc.Arbitrary<Asked> = fc.record({
  resource: word,
  verb,
  name: fc.option(fc.oneof(name, fc.constantFrom("*", "a*", "*b")), { nil: undefined }),
});

/** A seed of our own: the same examples each time. */
const RUNS = { seed: 7420, numRuns: 20_000 };

describe("a clause", () => {
  test("names a resource, a verb and a name, each of which may be any", () => {
    expect(clause("action.perform:greet")).toEqual({ resource: "action", verb: "perform", name: "greet" });
    expect(clause("action")).toEqual({ resource: "action", verb: "*", name: undefined });
    expect(clause("*")).toEqual({ resource: "*", verb: "*", name: undefined });
    expect(clause("action.perform:a/b:c")).toMatchObject({ name: "a/b:c" });
    for (const text of ["", ".", "action.", "Action.perform", "action.perform:", "action..perform", "a b", ":greet"]) {
      expect(parseClause(text)).toBeUndefined();
    }
  });

  test("without a name covers every name, and what is about none; with one it does not", () => {
    expect(matches(clause("log.list"), asked("log.list"))).toBe(true);
    expect(matches(clause("log.list"), asked("log.list:a"))).toBe(true);
    expect(matches(clause("log.list:*"), asked("log.list"))).toBe(true);
    expect(mismatch(clause("log.list:a"), asked("log.list"))).toBe('it is about "a", and this is about no name');
  });

  test("covers names by what they start with only where it ends in a star", () => {
    expect(matches(clause("action.perform:team/*"), asked("action.perform:team/greet"))).toBe(true);
    expect(matches(clause("action.perform:team/*"), asked("action.perform:team"))).toBe(false);
    expect(matches(clause("action.perform:gr*t"), asked("action.perform:greet"))).toBe(false);
  });

  test("that does not cover says why, in words", () => {
    const one = clause("action.perform:greet");
    expect(mismatch(one, asked("log.list"))).toBe('resource "log" is not "action"');
    expect(mismatch(one, asked("action.remove:greet"))).toBe('verb "remove" is not "perform"');
    expect(mismatch(one, asked("action.perform:shout"))).toBe('name "shout" is not "greet"');
    expect(formatAsked(asked("action.perform:shout"))).toBe("action.perform:shout");
  });

  test("that is none matches nothing", () => {
    expect(firstMatch(["?", "Action", "log.list"], asked("log.list"))).toBe(2);
    expect(firstMatch(["?"], asked("log.list"))).toBe(-1);
  });
});

describe("covers", () => {
  test("holds only where every match of the inner is a match of the outer", () => {
    let held = 0;
    fc.assert(
      fc.property(clauses, clauses, questions, (outer, inner, one) => {
        if (!covers(clause(outer), clause(inner)) || !matches(clause(inner), one)) return true;
        held++;
        return matches(clause(outer), one);
      }),
      RUNS,
    );
    expect(held).toBeGreaterThan(100);
  });

  test("a pattern is not a name: a* is wider than a**, and * than **", () => {
    expect(covers(clause("action.perform:a**"), clause("action.perform:a*"))).toBe(false);
    expect(covers(clause("action.perform:**"), clause("action.perform:*"))).toBe(false);
    expect(covers(clause("action.perform:a"), clause("action.perform:a*"))).toBe(false);
  });

  test("every clause covers itself, and * covers all", () => {
    fc.assert(fc.property(clauses, (one) => covers(clause(one), clause(one)) && covers(clause("*"), clause(one))));
  });

  test("a clause about every name does not cover one about none, and the other way round", () => {
    expect(covers(clause("log.list"), clause("log.list:a"))).toBe(true);
    expect(covers(clause("log.list:a*"), clause("log.list"))).toBe(false);
  });
});

describe("narrow", () => {
  test("leaves nothing that either side does not cover", () => {
    const lists = fc.array(clauses, { maxLength: 4 });
    let left = 0;
    fc.assert(
      fc.property(lists, lists, questions, (held, by, one) => {
        if (firstMatch(narrow(held, by), one) < 0) return true;
        left++;
        return firstMatch(held, one) >= 0 && firstMatch(by, one) >= 0;
      }),
      RUNS,
    );
    expect(left).toBeGreaterThan(100);
  });

  test("keeps the narrower of two that overlap, and all where nothing narrows", () => {
    expect(narrow(["action.perform:a*"], ["action.*"])).toEqual(["action.perform:a*"]);
    expect(narrow(["*"], ["action.perform:a", "log.list"])).toEqual(["action.perform:a", "log.list"]);
    expect(narrow(["*"], undefined)).toEqual(["*"]);
    expect(narrow(["*"], [])).toEqual([]);
    expect(narrow(["log.list"], ["action.list"])).toEqual([]);
  });
});

describe("a right on a namespace", () => {
  test("covers what lies in it, and nothing beside it", () => {
    expect(namespaceCovers(["a"], "a")).toBe(true);
    expect(namespaceCovers(["a"], "a/b")).toBe(true);
    expect(namespaceCovers(["a"], "ab")).toBe(false);
    expect(namespaceCovers(["a/b"], "a")).toBe(false);
    expect(namespaceCovers(["*"], "default")).toBe(true);
    expect(namespaceCovers([], "default")).toBe(false);
  });
});
