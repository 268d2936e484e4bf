// Ids: they grow, and tell when they were made.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { idMaker, nonceMaker, siblingId, timeOfId, timeTextOf, timeTextOfNonce } from "./id.ts";

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

test("a nonce is 16 bytes that begin with its time, whose text sorts as it does, and 80 bits of randomness", () => {
  let random = 0;
  const make = nonceMaker(() => Buffer.alloc(16, ++random).toString("base64url"));
  fc.assert(
    fc.property(time, time, (one, other) => {
      const [first, second] = [make(one), make(other)];
      expect(first).toMatch(/^[\w-]{21}[AQgw]$/);
      expect(Buffer.from(first, "base64url").readUIntBE(0, 6)).toBe(one);
      expect(first.slice(8)).not.toBe(second.slice(8));
      expect(timeTextOfNonce(first) < timeTextOfNonce(second)).toBe(one < other);
    }),
    { numRuns: 200 },
  );
});

test("the time of an id as text; of what is none there is none", () => {
  expect(timeTextOf(`m-01J8AAAAA${"0".repeat(7)}`)).toBe("01J8AAAAA");
  expect([timeTextOf("k"), timeTextOf("m-01J8")]).toEqual([undefined, undefined]);
});
