// Depth of JSON texts, as it is counted before they are parsed.

import { expect, test } from "bun:test";
import { isDeeperThan } from "./json-depth.ts";

test("depth counts what is open at once, and nothing within strings", () => {
  expect(isDeeperThan('[{"a":[1]},[2],{"b":[]}]', 3)).toBeFalse();
  expect(isDeeperThan('[{"a":[1]}]', 2)).toBeTrue();
  expect(isDeeperThan(JSON.stringify(["[[[[{{{{", '"[[[[', "\\"]), 1)).toBeFalse();
  expect(isDeeperThan("[".repeat(1_000_000), 100)).toBeTrue();
  expect(isDeeperThan("1", 0)).toBeFalse();
});
