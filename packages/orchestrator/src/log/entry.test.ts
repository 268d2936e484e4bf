// An entry's stored form: what goes in comes out, every part is bound by its digest, and any part can be erased.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { fillFrom } from "../testing/start.fixture.ts";
import { decodeEntry, encodeEntry, encodeRows, type Header, LONGEST_INLINE, partDigest, saltMaker } from "./entry.ts";
import { PARTS, type Part } from "./part.ts";

const salts = () => saltMaker(fillFrom(7));

const text = fc.string({ unit: "binary" });
const header: fc.Arbitrary<Header> = fc.record({
  id: fc.constant("m-0123456789ABCDEF"),
  message: fc.oneof(fc.constant("note.write"), text),
  node: text,
  principal: text,
  grant: text,
  at: fc.nat(),
  cause: fc.option(text, { nil: undefined }),
  verdict: fc.constantFrom("done", "held", "refused"),
});
const parts = fc.record(
  { b: fc.jsonValue(), f: fc.jsonValue(), r: fc.jsonValue(), t: fc.jsonValue() },
  { requiredKeys: [] },
);
// JSON has one zero.
const json = (value: unknown) => JSON.parse(JSON.stringify(value));

const entry = fc.tuple(header, parts).map(([head, values]) => {
  const texts = Object.fromEntries(Object.entries(values).map(([part, value]) => [part, JSON.stringify(value)]));
  const { text: stored, lines } = encodeEntry(head, texts, salts());
  if (lines.join("\n") !== stored) throw new Error("its lines are not its text");
  return { head, values: values as Partial<Record<Part, unknown>>, stored };
});

test("what is encoded is decoded, and every digest is that of the line as it is stored", () => {
  fc.assert(
    fc.property(entry, ({ head, values, stored }) => {
      const decoded = decodeEntry({ seq: 3, text: stored });
      expect(decoded.seq).toBe(3);
      const { b: _b, f: _f, r: _r, t: _t, ...rest } = decoded.header;
      expect(rest).toEqual(json(head));
      const lines = stored.split("\n").slice(1);
      for (const part of PARTS) {
        expect(decoded.part(part)).toEqual(part in values ? json(values[part]) : undefined);
        const line = lines.find((one) => one[0] === part);
        expect(decoded.header[part]).toBe(line === undefined ? undefined : partDigest(line));
      }
      expect(stored).not.toContain("\0");
    }),
  );
});

test("an erased part is gone, the header and the other parts stay as they were", () => {
  fc.assert(
    fc.property(entry, fc.constantFrom(...PARTS), ({ values, stored }, erased) => {
      const left = stored.split("\n").filter((line, i) => i === 0 || line[0] !== erased);
      const decoded = decodeEntry({ seq: 1, text: left.join("\n") });
      expect(decoded.part(erased)).toBeUndefined();
      expect(left[0]).toBe(stored.split("\n")[0] as string);
      for (const part of PARTS) {
        if (part !== erased && part in values) expect(decoded.part(part)).toEqual(json(values[part]));
      }
    }),
  );
});

test("the same part twice has two digests: a guess at an erased one cannot be checked", () => {
  const salt = salts();
  const head = {
    id: "m-1",
    message: "a.b",
    node: "n",
    principal: "p",
    grant: "g",
    at: 1,
    cause: undefined,
    verdict: "done",
  };
  const digests = [1, 2].map(
    () => decodeEntry({ seq: 1, text: encodeEntry(head, { b: '{"data":{}}' }, salt).text }).header.b,
  );
  expect(digests[0]).not.toBe(digests[1] as string);
});

test("salts are 128 bits of the random source and never repeat, across pools too", () => {
  let filled = 0;
  const fill = fillFrom(3);
  const salt = saltMaker((bytes) => {
    filled += bytes.length;
    fill(bytes);
  });
  const made = Array.from({ length: 1000 }, salt);
  expect(new Set(made).size).toBe(1000);
  expect(made.every((one) => /^[\w-]{22}$/.test(one))).toBe(true);
  expect(filled).toBe(1024 * 16);
});

test("rows are written as table, key and row, without a row where one was removed", () => {
  const rows = [
    { table: "note", key: 'a"\n', json: '{"x":1}' },
    { table: "note", key: "b", json: undefined },
  ];
  expect(JSON.parse(encodeRows(rows) as string)).toEqual([
    ["note", 'a"\n', { x: 1 }],
    ["note", "b"],
  ]);
  expect(encodeRows([])).toBeUndefined();
});

test("a part of more than 64 KiB is kept beside the entry, under the digest of its content; the header binds both", () => {
  const head = {
    id: "m-1",
    message: "a.b",
    node: "n",
    principal: "p",
    grant: "g",
    at: 1,
    cause: undefined,
    verdict: "done",
  };
  const long = JSON.stringify({ data: "é".repeat(LONGEST_INLINE) });
  const just = JSON.stringify("x".repeat(LONGEST_INLINE - 2));
  const { text: stored, blobs } = encodeEntry(head, { b: long, t: just }, salts());
  const name = `sha256-${new Bun.CryptoHasher("sha256").update(long).digest("hex")}`;
  expect(blobs).toEqual([{ name, text: long }]);
  const decoded = decodeEntry({ seq: 1, text: stored });
  expect(decoded.stored("b")).toEqual({ kind: "blob", name });
  expect(() => decoded.part("b")).toThrow(name);
  expect(decoded.part("t")).toBe(JSON.parse(just));
  const line = stored.split("\n")[1] as string;
  expect(line).toMatch(/^B[\w-]{22}sha256-[0-9a-f]{64}$/);
  expect(decoded.header.b).toBe(partDigest(line));
  expect(decodeEntry({ seq: 1, text: stored.replace(`\n${line}`, "") }).stored("b")).toEqual({ kind: "erased" });
});
