import { expect, test } from "bun:test";
import { exponent } from "./growth.ts";

test("the exponent of a power is its exponent", () => {
  const sizes = [25, 50, 100, 200, 400];
  expect(exponent(sizes.map((size) => [size, 3 * size ** 2]))).toBeCloseTo(2, 10);
  expect(exponent(sizes.map((size) => [size, 7]))).toBeCloseTo(0, 10);
  // A logarithm is no power: over this range it looks like a small one.
  expect(exponent(sizes.map((size) => [size, Math.log(size)]))).toBeCloseTo(0.22, 1);
});
