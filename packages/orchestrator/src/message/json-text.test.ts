// Texts that are kept are those that `JSON.stringify` would make, and what is kept is what was parsed.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import { jsonText, keepJson } from "./json-text.ts";
import { parse } from "./parse.ts";

const schema = z.strictObject({ value: z.unknown() });
/** With the key "__proto__" it is refused (parse.test.ts). */
const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"__proto__"'));
const recorded = (value: unknown) => parse("note.write", schema, { value }, undefined, true);

test("the text is that of the data, however many came after it", () => {
  fc.assert(
    fc.property(fc.array(json, { minLength: 1, maxLength: 9 }), (values) => {
      const parsed = values.map(recorded);
      for (const data of parsed) expect(jsonText(data)).toBe(JSON.stringify(data));
    }),
  );
});

test("of a long list, which stays open, the text is as it was asked", () => {
  const data = recorded(Array.from({ length: 1_001 }, (_, i) => i));
  (data.value as number[])[0] = 7;
  expect(JSON.parse(jsonText(data)).value[0]).toBe(0);
});

test("what is no JSON is refused as ever, and keeps no text", () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  expect(() => recorded(1n)).toThrow("holds a bigint");
  expect(() => recorded(circular)).toThrow("levels deep");
  keepJson(undefined);
  expect(jsonText({ a: 1 })).toBe('{"a":1}');
  expect(jsonText("text")).toBe('"text"');
});
