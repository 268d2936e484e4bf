// The edge's check of data: closed objects, plain JSON, and problems that say what and where.

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { FaultError } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { nameSchema, parse, parseOptions } from "./parse.ts";

const schema = z.strictObject({ name: nameSchema, count: z.number().optional(), input: z.unknown().optional() });

function problemOf(data: unknown, to: z.ZodType = schema): FaultError {
  try {
    return expect.unreachable(JSON.stringify(parse("note.write", to, data)));
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    expect(thrown.code).toBe("MESSAGE_INVALID");
    return thrown;
  }
}

describe("problems", () => {
  test("a key too many is named, with the nearest that there is", () => {
    expect(problemOf({ name: "a", cuont: 1 }).message).toBe('note.write: unknown "cuont", did you mean "count"?');
    expect(problemOf({ name: "a", elephant: 1 }).message).toBe('note.write: unknown "elephant"');
  });

  test("a key too many further in is told the nearest of its own object", () => {
    const one = z.strictObject({ routes: z.number() });
    const to = z.strictObject({
      limits: one.optional(),
      all: z
        .array(
          z.discriminatedUnion("kind", [one.extend({ kind: z.literal("b") }), one.extend({ kind: z.literal("c") })]),
        )
        .default([]),
      by: z.record(z.string(), one.transform(({ routes }) => routes).nullable()).optional(),
    });
    const said = (data: unknown) => problemOf(data, to).message;
    expect(said({ limits: { routs: 1 } })).toContain('"limits" unknown "routs", did you mean "routes"?');
    expect(said({ by: { a: { routes: 1, roote: 2 } } })).toContain('"by.a" unknown "roote", did you mean "routes"?');
    expect(said({ all: [{ kind: "c", routes: 1, routs: 1 }] })).toContain(
      '"all.0" unknown "routs", did you mean "routes"?',
    );
    expect(said({ limits: { routes: 1, limits: 1 } })).toBe('note.write: "limits" unknown "limits"');
  });

  test("__proto__ is a key too many, and pollutes nothing", () => {
    expect(problemOf(JSON.parse('{"name":"a","__proto__":{"count":1}}')).message).toContain('unknown "__proto__"');
    expect(({} as { count?: unknown }).count).toBeUndefined();
  });

  test("what is missing is told from what has the wrong type", () => {
    expect(problemOf({}).message).toBe('note.write: "name" is required');
    expect(problemOf({ name: "a", count: "2" }).message).toBe('note.write: "count" must be number, not string');
    expect(problemOf(undefined).message).toContain("is required");
    expect(problemOf([]).message).toContain("must be object, not array");
    const whole = z.strictObject({ count: z.number().int() });
    expect(problemOf({ count: 1.5 }, whole).message).toBe('note.write: "count" must be integer, not number');
  });

  test("every problem has a path, and many are cut", () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key${i}`, i]));
    const error = problemOf(many);
    expect(error.message).toContain("more");
    expect(error.message.length).toBeLessThan(1000);
    expect(error.details).toHaveLength(100);
  });

  test("a caller's text is quoted with its control and direction characters escaped", () => {
    for (const { message, details } of [problemOf({ "\u001b[2J\r\n\u202e": 1 }), problemOf({ name: "a\u0007" })]) {
      expect(message + JSON.stringify(details)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
  });
});

describe("data", () => {
  test("is frozen through and through, where the caller froze only its outside too", () => {
    const inner = { list: [{ deep: true }] };
    const parsed = parse("note.write", schema, { name: "a", input: Object.freeze({ inner }) }) as {
      input: typeof inner;
    };
    expect(() => Object.assign(inner.list[0] as object, { deep: false })).toThrow();
    expect(() => Object.assign(parsed, { input: 1 })).toThrow();
  });

  test("is not slow where it is one long list: that stays open, and what is in it does not", () => {
    const long = Array.from({ length: 1_001 }, () => ({ deep: true }));
    const parsed = parse("note.write", schema, { name: "a", input: { long, short: [1] } }) as {
      input: { long: { deep: boolean }[]; short: number[] };
    };
    expect([Object.isFrozen(parsed.input.long), Object.isFrozen(parsed.input.short)]).toEqual([false, true]);
    expect(() => Object.assign(parsed.input.long[1_000] as object, { deep: false })).toThrow();
  });

  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const unfit: [string, unknown][] = [
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["a date", new Date(0)],
    ["bytes", new Uint8Array(1)],
    ["a map", new Map()],
    ["a cycle", cyclic],
    ["depth", JSON.parse("[".repeat(5000) + "]".repeat(5000))],
  ];
  test.each(unfit)("that holds %s is no message: the log could not keep it", (_, input) => {
    expect(problemOf({ name: "a", input: [input] }).details).toHaveLength(1);
  });

  test("may be deep, within reason", () => {
    const input = JSON.parse("[".repeat(90) + "]".repeat(90));
    expect(parse("note.write", schema, { name: "a", input })).toEqual({ name: "a", input });
  });
});

test.each(["a", "a/b", "a-b.c_d~e", "9", `${"a".repeat(200)}`])("%p is a name", (name) => {
  expect(nameSchema.safeParse(name).success).toBe(true);
});

test.each(["", "/", "a/", "/a", "a//b", "..", "a/../b", ".a", "a b", "a\n", "a\u0000", "ä", "a".repeat(201)])(
  "%p is no name",
  (name) => {
    expect(nameSchema.safeParse(name).success).toBe(false);
  },
);

describe("options", () => {
  test("none, and all", () => {
    expect([parseOptions(undefined), parseOptions(null)]).toEqual([{}, {}]);
    const all = { key: "k", deadline: 1, correlation: "c", wait: 0 };
    expect(parseOptions(all)).toEqual(all);
  });

  test.each([
    { key: "" },
    { key: "a\nb" },
    { key: "a\ud800" },
    { key: "k".repeat(201) },
    { wait: -1 },
    { wait: 1.5 },
    { deadline: "soon" },
    { keys: "k" },
    7,
  ])("%p are refused", (options) => {
    expect(() => parseOptions(options)).toThrow(FaultError);
  });
});

test("printable escapes what moves the cursor, breaks the line or hides, and cuts what is long", () => {
  expect(printable("a\u001b\r\n\u007f\u0085\u200b\u202e\u2028b")).toBe(
    "a\\u001b\\u000d\\u000a\\u007f\\u0085\\u200b\\u202e\\u2028b",
  );
  expect(printable("\u{e0041}")).toBe("\\udb40\\udc41");
  expect(printable("grüße 東京 🙂")).toBe("grüße 東京 🙂");
  expect(printable("x".repeat(1000), 200)).toBe(`${"x".repeat(200)}…`);
});

test.each([
  [{ count: 0 }, '"count" must be at least 1'],
  [{ count: 11 }, '"count" must be at most 10'],
  [{ count: "1" }, '"count" must be number, not string'],
  [{ kind: "c" }, '"kind" must be one of "a", "b"'],
  [{ text: "long" }, '"text" must be at most 3 characters'],
  [{ list: [] }, '"list" must be at least 1 elements'],
])("what is wrong with %p is said in words that follow the field's name", (data, said) => {
  const schema = z.strictObject({
    count: z.number().int().min(1).max(10).optional(),
    kind: z.enum(["a", "b"]).optional(),
    text: z.string().max(3).optional(),
    list: z.array(z.string()).min(1).optional(),
  });
  expect(() => parse("it", schema, data)).toThrow(said);
});
