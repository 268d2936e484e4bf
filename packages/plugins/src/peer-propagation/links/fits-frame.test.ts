// How large a value is in a frame, however it is made up.

import { expect, test } from "bun:test";
import { framedSize, MOST_OF_A_FRAME, sizeInFrame } from "./fits-frame.ts";

const MOST = MOST_OF_A_FRAME;
const fits = (value: unknown): boolean => sizeInFrame(value) <= MOST;

test.each<[string, number, (units: number) => unknown]>([
  ["a text", MOST - 2, (units) => "y".repeat(units)],
  ["a text that JSON makes longer", Math.floor((MOST - 2) / 6), (units) => "\u0001".repeat(units)],
  ["a text of three bytes a character", MOST - 2, (units) => "€".repeat(units)],
  ["a field's name", MOST - 6, (units) => ({ ["n".repeat(units)]: 1 })],
  // As capnweb has it: [[1],…] for each.
  ["arrays in an array", Math.floor((MOST - 3) / 6), (units) => Array.from({ length: units }, () => [1])],
])("%s that just fits does, and one that is longer does not", (_, units, make) => {
  expect(fits(make(units))).toBe(true);
  expect(fits(make(units + 1))).toBe(false);
});

test("an array counts as often as it is wrapped", () => {
  const half = "y".repeat(MOST / 2);
  expect(framedSize([[half]])).toBe(JSON.stringify([[half]]).length + 2 * 2);
});

test("what is small is at least as large as it is said to be", () => {
  const small = [undefined, null, true, 1, -1.5e300, "", "\u0001", [], {}, { a: [1, "b", { c: null }] }];
  for (const value of small) expect(sizeInFrame(value)).toBeGreaterThanOrEqual(framedSize(value));
});
