import { expect, test } from "bun:test";
import { Histogram } from "./histogram.ts";

test("a value falls into the first bucket that is no smaller, and what is above all into the last", () => {
  const histogram = new Histogram([1, 2, 4]);
  for (const value of [0.5, 1, 1.5, 4, 5]) histogram.observe(value);
  expect([histogram.counts, histogram.sum, histogram.count]).toEqual([[2, 1, 1, 1], 12, 5]);
});

test("a quantile is estimated within its bucket; above all bounds it is the last of them, and of nothing it is 0", () => {
  const histogram = new Histogram([10, 20]);
  expect(histogram.quantile(0.5)).toBe(0);
  for (let i = 0; i < 10; i++) histogram.observe(15);
  expect(histogram.quantile(0.5)).toBe(15);
  for (let i = 0; i < 90; i++) histogram.observe(100);
  expect(histogram.quantile(0.99)).toBe(20);
});
