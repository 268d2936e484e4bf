// Ids: they grow, and tell when they were made.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { idMaker, siblingId, timeOfId } from "./id.ts";

// 45 bits of milliseconds: until the year 3084.
const time = fc.integer({ min: 0, max: 2 ** 45 - 1 });

test("ids sort as they were made, within a millisecond too, whatever the randomness", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(time, fc.nat(5)), { minLength: 1 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (moments, random) => {
        const make = idMaker(() => random);
        const ids = moments
          .toSorted(([a], [b]) => a - b)
          .flatMap(([at, more]) => Array.from({ length: more + 1 }, () => make(at)));
        expect(ids).toEqual(ids.toSorted());
        expect(new Set(ids).size).toBe(ids.length);
      },
    ),
  );
});

test("an id gives its time back, under any prefix", () => {
  fc.assert(
    fc.property(time, (at) => {
      const id = idMaker(() => 0.5)(at);
      expect(id).toMatch(/^m-[0-9A-HJKMNP-TV-Z]{16}$/);
      expect(timeOfId(id)).toBe(at);
      expect(timeOfId(siblingId(id, "x"))).toBe(at);
    }),
  );
});

test.each([
  "",
  "m-",
  "m-short",
  "0123456789ABCDEFG",
  "-0123456789ABCDEF",
  "m-abcdef0123456789",
  "m-01234567U9ABCDEF",
  "m-0123456789ABCDEF0",
])("%p is no id", (text) => {
  expect(timeOfId(text)).toBeUndefined();
});
