import { expect, test } from "bun:test";
import fc from "fast-check";
import { sortable, unsortable } from "./key-order.ts";

// Code units around every border that the mapping or UTF-8 has, alone and in pairs.
const unit = fc.constantFrom(
  ..."\0a\u007f\u0080\u0100\u08ff\u0900\ud7ff\ud800\udbff\udc00\udfff\ue000\ue001\ue002\uffff".split(""),
);
const key = fc.array(unit, { maxLength: 6 }).map((units) => units.join(""));
const seeded = { seed: 1, numRuns: 5000 };

test("stored keys compare as bytes of UTF-8 as the keys do by code units", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const order = a < b ? -1 : a > b ? 1 : 0;
      expect(Buffer.compare(Buffer.from(sortable(a)), Buffer.from(sortable(b)))).toBe(order);
    }),
    seeded,
  );
});

test("a key comes back from UTF-8 as it was, lone surrogates included", () => {
  fc.assert(
    fc.property(key, (one) => {
      expect(unsortable(Buffer.from(sortable(one)).toString())).toBe(one);
    }),
    seeded,
  );
});

test("keys of ids and names are stored as they are", () => {
  expect(sortable("m-01JABCDEFGH12345/Zoë/日本")).toBe("m-01JABCDEFGH12345/Zoë/日本");
});
