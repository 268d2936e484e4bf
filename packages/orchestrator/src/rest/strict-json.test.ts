// JSON bodies: what is taken is what JSON.parse takes, and what is not is told with its place.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { readStrictJson } from "./strict-json.ts";

test("what JSON.stringify writes is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false } as object), fc.constantFrom(undefined, 1, "\t"), (json, indent) => {
      const value: unknown = JSON.parse(json);
      fc.pre(!json.includes("__proto__"));
      expect(readStrictJson(JSON.stringify(value, null, indent), "the body")).toEqual({ value });
    }),
  );
});

test("any text is refused where JSON.parse refuses it, and read to the same where it does not", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    '"a"',
    "\\",
    "1",
    "-",
    ".5",
    "e9",
    "01",
    "true",
    "nul",
    " ",
    "\n",
    "\u0001",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
      const text = parts.join("");
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        expect(readStrictJson(text, "the body")).toMatchObject({ fault: { code: "REQUEST_MALFORMED" } });
        return;
      }
      const read = readStrictJson(text, "the body");
      if ("fault" in read) expect(read.fault.message).toContain("a second time");
      else expect(read.value).toEqual(value);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["", "the body is no JSON that is taken: the text ends where a value should be at line 1, column 1"],
  [
    '{\n  "name": greet\n}',
    'the body is no JSON that is taken: "g" stands where a value should be at line 2, column 11',
  ],
  ['{"a":1,"a":2}', 'the body is no JSON that is taken: the name "a" a second time at line 1, column 8'],
  ['{"a":1,"\\u0061":2}', 'the body is no JSON that is taken: the name "a" a second time at line 1, column 8'],
  ['{"in":{"__proto__":{}}}', 'the body is no JSON that is taken: "__proto__", which is no name at line 1, column 8'],
  [
    '"a\nb"',
    'the body is no JSON that is taken: "\\u000a" stands where the end of a text should be at line 1, column 3',
  ],
  ['"\\x"', 'the body is no JSON that is taken: "\\" stands where an escape should be at line 1, column 2'],
  ["1 2", 'the body is no JSON that is taken: "2" stands where the end should be at line 1, column 3'],
  ["[".repeat(200), "the body is no JSON that is taken: more than 128 levels at line 1, column 129"],
])("%j is refused with its place", (text, message) => {
  expect(readStrictJson(text, "the body")).toMatchObject({ fault: { code: "REQUEST_MALFORMED", message } });
});

test("names of every object's are names like any other", () => {
  const read = readStrictJson('{"constructor":1,"toString":2,"hasOwnProperty":3}', "the body");
  expect(read).toEqual({ value: { constructor: 1, toString: 2, hasOwnProperty: 3 } } as never);
});

test("a text of a megabyte is read, escapes and all", () => {
  const value = 'é"\\\n'.repeat(200_000);
  expect(readStrictJson(JSON.stringify([value]), "the body")).toEqual({ value: [value] });
});
