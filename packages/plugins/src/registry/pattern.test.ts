import { describe, expect, test } from "bun:test";
import { linearPattern, patternCost } from "./pattern.ts";

describe("linearPattern", () => {
  test.each([
    ["^\\d{4}-\\d{2}$", "2024-12", true],
    ["^\\u0041[\\d\\-_]\\/$", "A1/", true],
    ["(?<year>\\d+)", "x1", true],
    ["^\\p{L}+$", "été", true],
    ["^.$", "a\n", false],
    ["^a$", "a\n", false],
    ["", "anything", true],
  ])("%p on %p is %p", (source, text, fits) => {
    expect(linearPattern(source).test(text)).toBe(fits);
  });

  test("compiles a source once", () => {
    expect(linearPattern("once")).toBe(linearPattern("once"));
  });

  test("says what it cannot take", () => {
    expect(() => linearPattern("(?=a)")).toThrow("(?=");
    expect(() => linearPattern("(a){1000}{1000}")).toThrow();
  });
});

describe("patternCost", () => {
  test.each([
    ["abc", 3],
    ["a{10}", 10],
    ["(ab){10}", 30],
    ["((ab){10}){10}", 310],
    ["[a-z]{3,20}", 20],
    ["\\{10}", 3],
    ["[{]{5}", 5],
    ["a{2,}b", 3],
    ["x{y}", 4],
    ["\\p{L}{4}", 84],
  ])("%p costs about %p", (source, cost) => {
    expect(Math.abs(patternCost(source) - cost)).toBeLessThanOrEqual(Math.max(3, cost / 10));
  });

  test("is never less than what RE2 makes of it, near enough", () => {
    for (const source of ["((a{10}){10}){10}", "(a{3}b{2}){5}", "(x|y{7}){9}"]) {
      expect(patternCost(source) * 3).toBeGreaterThan(linearPattern(source).size);
    }
  });
});
