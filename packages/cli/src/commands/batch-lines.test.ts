// Batches: every mistake is found before anything is sent, and names its line.

import { expect, test } from "bun:test";
import { withPromises } from "../remote/reference.ts";
import { batchLines } from "./batch-lines.ts";

const line = (value: object): string => JSON.stringify({ resource: "action", action: "perform", ...value });
const problem = (...lines: string[]): string => {
  try {
    batchLines(lines.join("\n"));
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
};
const from = (path: string): string => line({ data: { deep: [{ $from: path }] } });

test("lines are messages; blank ones are counted and skipped", () => {
  expect(batchLines(`\r\n${line({ as: "a", data: { name: "x" }, options: { key: "k" } })}\r\n\n${line({})}\n`)).toEqual(
    [
      { line: 2, as: "a", name: "action.perform", data: { name: "x" }, options: { key: "k" } },
      { line: 4, as: undefined, name: "action.perform", data: {}, options: undefined },
    ],
  );
});

test("a line that is no message is named", () => {
  expect(problem("{")).toStartWith("line 1: it is not JSON:");
  expect(problem("", "[]")).toBe("line 2: it is no JSON object");
  expect(problem('{"resource":"a"}')).toBe('line 1: "action" is required, a text');
  expect(problem(line({ dat: 1 }))).toBe('line 1: unknown "dat", did you mean "data"?');
  expect(problem(line({ as: "a.b" }))).toBe('line 1: "as" must be a name of letters, digits, _ and -');
  expect(problem(line({ as: "a" }), line({ as: "a" }))).toBe('line 2: "as": line 1 is called "a" already');
  expect(problem("")).toBe("the batch has no lines");
});

test("a reference that leads nowhere is named", () => {
  const a = line({ as: "abc" });
  expect(problem(a, from("abc.output.text"))).toBe("none");
  expect(problem(from("abc.output"), a)).toBe('line 1: $from "abc" comes later; a line can use earlier ones only');
  expect(problem(line({ as: "abc", data: { $from: "abc.x" } }))).toContain("comes later");
  expect(problem(a, from("abd.output"))).toBe('line 2: $from "abd": no line is called so, did you mean "abc"?');
  expect(problem(a, from("abc.items.0"))).toContain("an element of a list cannot be referred to");
  expect(problem(a, from("abc..x"))).toContain("is no reference");
  for (const name of ["then", "map", "constructor", "__proto__", "hasOwnProperty", "dup"]) {
    expect(problem(a, from(`abc.${name}`))).toContain("cannot be referred to");
  }
});

test("promises stand where references were, and all else is as it was", () => {
  const promises = new Map([["a", { output: { text: "promise" } }]]);
  const data = JSON.parse(
    '{"x":[{"$from":"a.output.text"}],"y":{"$from":"a.output","z":1},"w":{"$from":5},"__proto__":{"q":1}}',
  );
  const filled = withPromises(data, promises) as Record<string, unknown>;
  expect(filled.x).toEqual(["promise"]);
  expect(filled.y).toEqual({ $from: "a.output", z: 1 });
  expect(filled.w).toEqual({ $from: 5 });
  expect(Object.keys(filled)).toContain("__proto__");
  expect(Object.getPrototypeOf(filled)).toBe(Object.prototype);
});
