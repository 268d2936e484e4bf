import { describe, expect, test } from "bun:test";
import { nearest } from "./nearest.ts";

describe("nearest", () => {
  test("finds a swap, a missing, a doubled and a wrong letter", () => {
    expect(nearest("nmae", ["text", "name"])).toBe("name");
    expect(nearest("nam", ["text", "name"])).toBe("name");
    expect(nearest("namme", ["text", "name"])).toBe("name");
    expect(nearest("nome", ["text", "name"])).toBe("name");
  });

  test("ignores letter case, and prefers what differs by nothing else", () => {
    expect(nearest("Perform", ["performs", "perform"])).toBe("perform");
    expect(nearest("X", ["y", "x"])).toBe("x");
  });

  test("takes the nearest, and the first of equals", () => {
    expect(nearest("greet", ["great", "greets"])).toBe("great");
    expect(nearest("abcdef", ["abcdXY", "abcdeX"])).toBe("abcdeX");
  });

  test("says nothing rather than something far", () => {
    expect(nearest("name", ["subscription"])).toBeUndefined();
    expect(nearest("ab", ["cd"])).toBeUndefined();
    expect(nearest("a", ["b"])).toBeUndefined();
    expect(nearest("", ["a"])).toBeUndefined();
    expect(nearest("name", [])).toBeUndefined();
  });

  test("allows a third of a long word", () => {
    expect(nearest("peer-propogatoin", ["peer-propagation"])).toBe("peer-propagation");
    expect(nearest("abcdefghi", ["abcdefXYZ"])).toBe("abcdefXYZ");
    expect(nearest("abcdefgh", ["abcdeXYZ"])).toBeUndefined();
  });

  test("never suggests the word itself", () => {
    expect(nearest("name", ["name"])).toBeUndefined();
  });

  test("a very long word costs nothing", () => {
    expect(nearest("x".repeat(1_000_000), ["x".repeat(1_000_001)])).toBeUndefined();
  });
});
