import { describe, expect, test } from "bun:test";
import { fewest } from "./shrink.ts";

const HUNDRED = Array.from({ length: 100 }, (_, at) => at);

describe("shrinking", () => {
  test("keeps the few that matter, in their order", () => {
    const matter = [7, 40, 41, 93];
    const budget = { runs: 1000 };
    expect(fewest(HUNDRED, (part) => matter.every((one) => part.includes(one)), budget)).toEqual(matter);
    expect(1000 - budget.runs).toBeLessThan(200);
  });

  test("keeps nothing where nothing matters", () => {
    expect(fewest(HUNDRED, () => true, { runs: 10 })).toEqual([]);
  });

  test("leaves a part from which no single one can go", () => {
    // Fails with any three even ones: more than one smallest part.
    const fails = (part: readonly number[]) => part.filter((one) => one % 2 === 0).length >= 3;
    const part = fewest(HUNDRED, fails, { runs: 1000 });
    expect(part).toHaveLength(3);
    expect(fails(part)).toBe(true);
  });

  test("ends when its budget does, with a part that still fails", () => {
    const fails = (part: readonly number[]) => part.includes(99) && part.includes(1);
    const part = fewest(HUNDRED, fails, { runs: 5 });
    expect(fails(part)).toBe(true);
  });
});
