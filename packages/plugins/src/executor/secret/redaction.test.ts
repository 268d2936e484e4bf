// Secrets are found in whatever form they come, and nothing else is altered.

import { describe, expect, test } from "bun:test";
import { redaction } from "./redaction.ts";

const SECRET = 'p/ss "wörd" +1&2';
const MARK = "[secret env:PASS]";
const clean = redaction(new Map([["env:PASS", SECRET]]));
const bytes = Buffer.from(SECRET);

describe("a secret is taken out", () => {
  test.each([
    ["as it is", SECRET],
    ["URL-encoded", encodeURIComponent(SECRET)],
    ["URL-encoded in lower case", encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
    ["as a form has it", new URLSearchParams([["p", SECRET]]).toString().slice(2)],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["in JSON in JSON", JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
    ["hexadecimal", bytes.toString("hex")],
  ])("%s", (_, form) => {
    expect(clean.text(`before ${form} after ${form}.`)).toBe(`before ${MARK} after ${MARK}.`);
  });

  test.each(["", "u", "us", "user:"])("in the base64 of %p and itself", (before) => {
    for (const encoding of ["base64", "base64url"] as const) {
      const header = Buffer.from(`${before}${SECRET}!`).toString(encoding);
      const kept = clean.text(`Basic ${header}`);
      expect(kept).toContain(MARK);
      // What is left of it are the characters that it shares with its neighbours.
      expect(kept.replace(MARK, "").length).toBeLessThan(`Basic ${before}`.length + 12);
    }
  });

  test("where a text was cut in the middle of it", () => {
    expect(clean.text(`sent ${SECRET.slice(0, 9)}`)).toBe(`sent ${MARK}`);
    expect(clean.text(`sent ${SECRET.slice(0, 9)}…`)).toBe(`sent ${MARK}…`);
    expect(clean.text(`sent ${SECRET.slice(0, 4)}`)).toBe(`sent ${SECRET.slice(0, 4)}`);
  });

  test("where a text was cut in the middle of it, and stands in another now", () => {
    expect(clean.text(`sent "${SECRET.slice(0, 9)}…"; read it again, or …`)).toBe(
      `sent "${MARK}…"; read it again, or …`,
    );
  });

  test("without the blanks around it", () => {
    const padded = redaction(new Map([["file:/pin", " pin-1234\n"]]));
    expect(padded.text("bad: pin-1234.")).toBe("bad: [secret file:/pin].");
  });

  test("as bytes, and as text that was read as if it were Latin-1", () => {
    expect(clean.value({ a: Buffer.from(`of ${SECRET}`), b: [...bytes], c: [1, 2, 3, 4, 5, 6, 7] })).toEqual({
      ...{ a: `of ${MARK}`, b: MARK, c: [1, 2, 3, 4, 5, 6, 7] },
    });
    expect(clean.text(bytes.toString("latin1"))).toBe(MARK);
  });

  test("from what refers to itself, many times over", () => {
    const fields: Record<string, unknown> = { said: SECRET };
    for (const key of ["socket", "parser", "request"]) fields[key] = fields;
    expect(clean.value(fields)).toEqual({
      ...{ said: MARK, socket: "[circular]", parser: "[circular]", request: "[circular]" },
    });
  });

  test("of several lines, each long one", () => {
    const key = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\nFFFFGGGGHHHHIIIIJJJJ\n-----END KEY-----\n";
    const keyClean = redaction(new Map([["file:/k", key]]));
    expect(keyClean.text("bad line FFFFGGGGHHHHIIIIJJJJ here")).toBe("bad line [secret file:/k] here");
    expect(keyClean.text("no -----BEGIN KEY----- line")).toBe("no -----BEGIN KEY----- line");
  });

  test("of as many characters as one may have", () => {
    const lines = Array.from({ length: 250 }, (_, i) => `line ${i} `.padEnd(64, "of a large key"));
    const large = redaction(new Map([["file:/large", lines.join("\n")]]));
    expect(large.text(`a ${lines.join("\n")} b`)).toBe("a [secret file:/large] b");
    expect(large.text(`a ${lines[77]} b`)).toBe("a [secret file:/large] b");
    expect(large.text("x".repeat(100_000))).toBe("x".repeat(100_000));
  });

  test("from keys, elements, numbers, errors and what has a toJSON", () => {
    const digits = redaction(new Map([["env:PIN", "123456"]]));
    expect(
      digits.value({ k123456: [1, "123456", 123456, null, true], d: new Date(0), e: new Error("of 123456") }),
    ).toEqual({
      "k[secret env:PIN]": [1, "[secret env:PIN]", "[secret env:PIN]", null, true],
      d: "1970-01-01T00:00:00.000Z",
      e: "Error: of [secret env:PIN]",
    });
  });

  test("from a fault's text and details, and from log lines", () => {
    expect(clean.fault({ code: "X", message: `no ${SECRET}`, details: { a: [SECRET] }, id: "m-1" })).toEqual({
      ...{ code: "X", message: `no ${MARK}`, details: { a: [MARK] }, id: "m-1" },
    });
    expect(clean.fault({ code: SECRET, message: "x", id: `m-${SECRET}` })).toEqual({
      ...{ code: "ACTION_FAILED", message: "x", id: `m-${MARK}` },
    });
    const lines: unknown[] = [];
    const write = (fields: object, text: string) => void lines.push([fields, text]);
    clean.log({ debug: write, info: write, warn: write, error: write }).warn({ SECRET }, `it is ${SECRET}`);
    expect(lines).toEqual([[{ SECRET: MARK }, `it is ${MARK}`]]);
    (clean.log({ debug: write, info: write, warn: write, error: write }).info as (fields: unknown) => void)(SECRET);
    expect(lines[1]).toEqual([MARK, undefined]);
  });
});

test("the longer of two secrets is taken out whole", () => {
  const two = redaction(
    new Map([
      ["env:A", "secret"],
      ["env:B", "secret-of-b"],
    ]),
  );
  expect(two.text("secret-of-b, secret")).toBe("[secret env:B], [secret env:A]");
});

test("the rest stays as it is, dollar signs and all", () => {
  const money = redaction(new Map([["env:$A", "$$secret$&"]]));
  expect(money.text("$1 $& $$secret$& $`")).toBe("$1 $& [secret env:$A] $`");
  const value = { a: [1, { b: "x" }], n: null, u: undefined };
  expect(clean.value(value)).toEqual(value);
});
