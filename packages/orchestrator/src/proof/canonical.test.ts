// One text for each value: what else would mean the same is refused.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readBase64, readJson, readNumber, writeBase64 } from "./canonical.ts";

test("numbers are from 0 to 2^53 - 1, in their one form", () => {
  for (const number of [0, 1, 9, 10, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) expect(readNumber(String(number))).toBe(number);
  for (const text of ["", " ", "00", "01", "+1", "-0", "-1", "1.0", "1e3", "0x1", "1 ", "1\n", "٣", "9007199254740992"])
    expect(readNumber(text)).toBeUndefined();
});

test("base64 is read where writing it again gives the same text, and nowhere else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect([...(readBase64(writeBase64(bytes)) ?? [])]).toEqual([...bytes]);
    }),
  );
  for (const text of ["A", "AA", "AAA", "AA=", "AB==", "AAB=", "AA==\n", " AA==", "-_-_", "AA==AA==", "AAAA=", "é"])
    expect(readBase64(text), text).toBeUndefined();
});

describe("JSON", () => {
  const value = { a: 'ä\u202e\u007f🦄\n\\u00e4"', b: [1, -0.5, 1e21, null, true], c: {} };
  const written = JSON.stringify(value);

  test("is read with any whitespace, and with characters of other alphabets as themselves or escaped", () => {
    expect(readJson(written)).toEqual(value);
    expect(readJson(`\n${JSON.stringify(value, null, "\t")}\r\n `)).toEqual(value);
    const ascii = written.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    expect(ascii).not.toBe(written);
    expect(readJson(ascii)).toEqual(value);
    fc.assert(fc.property(fc.json(), (text) => expect(readJson(JSON.stringify(JSON.parse(text)))).toBeDefined()));
  });

  test("is not read where it says a thing twice, or in a second way", () => {
    for (const text of [
      ...["", "{", '{"a":1,"a":1}', '{"a":1,"b":2,"a":3}', '{"a":1,}', "[1 2]", "01", "1.0", "1e2", "-0", "+1", "NaN"],
      ...['"\\u0041"', '"\\/"', '"\\u000a"', '"\\u00E4"', '"\\ud800"', '"\ud800"', "\ufeff1", "\u00a01", '"\n"'],
    ]) {
      expect(readJson(text), text).toBeUndefined();
    }
  });

  test("of megabytes in one string is read like any other", () => {
    const large = JSON.stringify(['"\\'.repeat(1_000_000), "é".repeat(1_000_000)]);
    expect(readJson(large)).toBeDefined();
    expect(readJson(`${large.slice(0, -2)}"`)).toBeUndefined();
  });
});
