import { expect, test } from "bun:test";
import fc from "fast-check";
import { Map64 } from "./map64.ts";

// Few keys, and those that share their place, so that deletions have to move what follows.
const word = fc.oneof(fc.integer({ min: 0, max: 3 }), ...[1024, 2048, 2 ** 32 - 1].map((one) => fc.constant(one)));
const key = fc.record({ high: word, low: word });
const changes = fc.array(
  fc.record({ key, value: fc.option(fc.record({ high: word, low: word }), { nil: undefined }) }),
  {
    maxLength: 300,
  },
);

test("a map of 64 bits does what a Map does, whatever is put and deleted", () => {
  fc.assert(
    fc.property(changes, (all) => {
      const map = new Map64();
      const model = new Map<string, { high: number; low: number }>();
      // A key of zero stands for that of one: no hash is either.
      const name = ({ high, low }: { high: number; low: number }) => `${high}:${high === 0 && low === 0 ? 1 : low}`;
      for (const one of all) {
        if (one.value === undefined) expect(map.delete(one.key)).toBe(model.delete(name(one.key)));
        else {
          map.set(one.key, one.value);
          model.set(name(one.key), one.value);
        }
        expect(map.size).toBe(model.size);
      }
      for (const { key } of all) expect(map.get(key)).toEqual(model.get(name(key)));
    }),
  );
});

test("a map of 64 bits grows, and takes 16 bytes a slot", () => {
  const map = new Map64();
  const high = (i: number) => Math.imul(i, 0x9e3779b1) >>> 0;
  for (let i = 1; i <= 100_000; i++) map.set({ high: high(i), low: i }, { high: i, low: 0 });
  expect(map.size).toBe(100_000);
  for (let i = 1; i <= 100_000; i += 2) map.delete({ high: high(i), low: i });
  expect(map.size).toBe(50_000);
  for (let i = 1; i <= 100_000; i++) {
    expect(map.get({ high: high(i), low: i })?.high).toBe(i % 2 === 0 ? i : undefined);
  }
});

test("a key of zero is that of one wherever it is asked for: it has one place", () => {
  const map = new Map64();
  map.set({ high: 0, low: 0 }, { high: 7, low: 0 });
  expect(map.delete({ high: 0, low: 1 })).toBe(true);
  expect(map.size).toBe(0);
});
