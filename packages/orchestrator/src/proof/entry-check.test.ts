// An entry against its own header: what the node writes fits, with any part erased too, and nothing else does.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type DecodedEntry, encodeEntry, LONGEST_INLINE, saltMaker } from "../log/entry.ts";
import { PARTS } from "../log/part.ts";
import { fillFrom } from "../testing/start.fixture.ts";
import { checkEntry, checkHeaderAndParts, contentName } from "./entry-check.ts";
import { leafHash } from "./merkle.ts";

const salts = () => saltMaker(fillFrom(7));
const invalid = expect.objectContaining({ code: "ENTRY_INVALID" });

const head = {
  ...{ id: "m-0123456789ABCDEF", message: "note.write", node: "n-1", principal: "ada", grant: "g-1" },
  ...{ at: 1_796_000_000_000, cause: "m-0123456789ABCDEE", verdict: "done" },
};
const long = JSON.stringify("x".repeat(LONGEST_INLINE));
const { text, blobs } = encodeEntry(head, { b: '{"data":1}', f: '{"x":2}', r: long, t: "{}" }, salts());
const [header = "", ...lines] = text.split("\n");
const asLines = ([first, ...rest]: readonly [string, ...string[]]) => [first, rest] as const;

test("what a node writes fits, whatever callers call themselves, and so does what is left after an erasure", () => {
  const any = fc.string({ unit: "binary" });
  const json = fc.option(fc.json(), { nil: undefined });
  fc.assert(
    fc.property(
      fc.record({ principal: any, grant: any, node: any, cause: fc.option(any, { nil: undefined }), at: fc.nat() }),
      fc.record({ b: json, f: json, r: json, t: json }),
      fc.subarray([...PARTS]),
      (fields, parts, gone) => {
        const stored = encodeEntry({ ...head, ...fields }, parts, salts()).text;
        const all = stored.split("\n");
        const left = all.filter((line, at) => at === 0 || !gone.some((letter) => letter === line[0]));
        const checked = checkEntry(left.join("\n"));
        expect(checked.header as DecodedEntry["header"]).toEqual(JSON.parse(all[0] as string));
        expect(checked.leaf).toEqual(leafHash(all[0] as string));
        const had = PARTS.filter((letter) => parts[letter] !== undefined);
        expect(checked.erased).toEqual(had.filter((letter) => gone.includes(letter)));
        expect(checked.parts.map((part) => (part.kind === "inline" ? part.json : ""))).toEqual(
          had.filter((letter) => !gone.includes(letter)).map((letter) => parts[letter] as string),
        );
      },
    ),
  );
});

test("a part that is kept beside the entry is told by the name of its content", () => {
  expect(checkEntry(text).parts).toEqual([
    { letter: "b", kind: "inline", json: '{"data":1}' },
    { letter: "f", kind: "inline", json: '{"x":2}' },
    { letter: "r", kind: "blob", name: blobs[0]?.name as string },
    { letter: "t", kind: "inline", json: "{}" },
  ]);
  expect(contentName(long)).toBe(blobs[0]?.name as string);
  expect(contentName(new TextEncoder().encode(long))).toBe(contentName(long));
});

test("every single-bit change of a part or its salt is refused", () => {
  const bytes = Buffer.from(text);
  const start = Buffer.byteLength(header) + 1;
  for (let at = start; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << bit);
      expect(() => checkEntry(changed.toString("utf8"))).toThrow(invalid);
    }
  }
});

describe("an entry that is none", () => {
  const [b = "", f = "", r = "", t = ""] = lines;
  const entry = (...parts: readonly string[]) => [header, ...parts].join("\n");
  const withHeader = (from: string | RegExp, to: string) => [header.replace(from, to), ...lines].join("\n");
  const spoiled: Record<string, string> = {
    nothing: "",
    "a part twice": entry(b, b, f, r, t),
    "parts out of order": entry(f, b, r, t),
    "a part that the header has no digest of": withHeader(/,"t":"[^"]+"/, ""),
    "another part's text under a letter": entry(`b${f.slice(1)}`, f, r, t),
    "a letter that no part has": entry(b, f, r, `x${t.slice(1)}`),
    "a letter in the other case": entry(b.toUpperCase(), f, r, t),
    "content in place of its name": entry(b, f, r[0]?.toLowerCase() + r.slice(1, 23) + long, t),
    "a salt alone": entry(b.slice(0, 23)),
    "half a salt": entry(b.slice(0, 10)),
    "an empty line": entry("", b),
    "a newline at the end": `${text}\n`,
    "a NUL before it": `\0${text}`,
    "a header that is no JSON": withHeader("{", ""),
    "a header that is no object": `"m-1"\n${b}`,
    "a header with a space": withHeader('{"id"', '{ "id"'),
    "a header with a field twice": withHeader('"verdict"', '"at":1796000000000,"verdict"'),
    "a header with a field of its own": withHeader('"verdict"', '"more":1,"verdict"'),
    "a header in another order": withHeader(/("at":[0-9]+),("cause":"[^"]+")/, "$2,$1"),
    "a header without an id": withHeader(/"id":"[^"]+",/, ""),
    "a header with a needless escape": withHeader("ada", "\\u0061da"),
    "a time that is a text": withHeader("1796000000000", '"1796000000000"'),
    "a time in another form": withHeader("1796000000000", "1.796e12"),
    "a time before all": withHeader("1796000000000", "-1"),
    "a time past 2^53": withHeader("1796000000000", "9007199254740993"),
    "a name that is a number": withHeader('"ada"', "1"),
    "a digest that is none": withHeader(/"f":"[^"]+"/, '"f":"AAAA"'),
    "a digest that is null": withHeader(/"f":"[^"]+"/, '"f":null'),
  };
  for (const [what, one] of Object.entries(spoiled)) {
    test(what, () => {
      expect(one).not.toBe(text);
      expect(() => checkEntry(one)).toThrow(invalid);
    });
  }

  test("lines that no node writes, though their digests fit", () => {
    const salt = "A".repeat(22);
    const withPart = (line: string) => {
      const fields = { ...head, b: new Bun.CryptoHasher("sha256").update(line).digest("base64url") };
      return [JSON.stringify(fields), line] as const;
    };
    expect(checkHeaderAndParts(...asLines(withPart(`b${salt}{}`))).erased).toEqual([]);
    const name = contentName("{}");
    expect(checkHeaderAndParts(...asLines(withPart(`B${salt}${name}`))).parts).toHaveLength(1);
    for (const rest of [
      `b${salt}{}\n{}`,
      `B${salt}{}`,
      `B${salt}${name.toUpperCase()}`,
      `B${salt}${name}0`,
      `b${salt.slice(1)}`,
    ]) {
      expect(() => checkHeaderAndParts(...asLines(withPart(rest)))).toThrow(invalid);
    }
  });

  test("half a surrogate pair, which would be hashed as what it is not", () => {
    const replaced = encodeEntry({ ...head, principal: "\ufffd" }, { b: '"\ufffd"' }, salts()).text;
    expect(checkEntry(replaced).header.principal).toBe("\ufffd");
    const [first = "", part = ""] = replaced.split("\n");
    expect(() => checkEntry(`${first.replace("\ufffd", "\ud800")}\n${part}`)).toThrow(invalid);
    expect(() => checkEntry(`${first}\n${part.replace("\ufffd", "\ud800")}`)).toThrow(invalid);
  });
});
