import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { checkSchema, compileSchema, schemaOf } from "./json-schema.ts";

const accepts = (type: z.ZodType, value: unknown, io: "input" | "output" = "input"): boolean => {
  const schema = schemaOf(type, io);
  expect(checkSchema(schema)).toBeUndefined();
  return compileSchema(schema)(value).length === 0;
};

describe("schemaOf", () => {
  test("closes an input's objects, nested ones too, unless they say otherwise", () => {
    const type = z.object({ name: z.string(), in: z.object({}).optional(), open: z.looseObject({}).optional() });
    expect(accepts(type, { name: "a", in: {}, open: { x: 1 } })).toBe(true);
    expect(accepts(type, { name: "a", nmae: 1 })).toBe(false);
    expect(accepts(type, { name: "a", in: { x: 1 } })).toBe(false);
    expect(accepts(z.object({}).catchall(z.number()), { x: 1 })).toBe(true);
  });

  test("tells a default by its direction", () => {
    const type = z.object({ n: z.number().default(1) });
    expect(accepts(type, {})).toBe(true);
    expect(accepts(type, {}, "output")).toBe(false);
  });

  test("closes an intersection as a whole, in both directions", () => {
    const bee = z.object({ b: z.number() }).meta({ id: "Bee" });
    for (const io of ["input", "output"] as const) {
      for (const type of [
        z.intersection(z.object({ a: z.string() }), bee),
        z.intersection(z.union([z.object({ a: z.string() }), z.object({ c: z.string() })]), bee),
      ]) {
        expect(accepts(type, { a: "a", b: 1 }, io)).toBe(true);
        expect(accepts(type, { a: "a", b: 1, x: 1 }, io)).toBe(false);
        expect(accepts(type, { a: "a" }, io)).toBe(false);
      }
    }
  });

  test("leaves to zod what a schema cannot say", () => {
    const type = z.object({
      flag: z.string().regex(/^a$/i),
      both: z.string().regex(/B/i).regex(/c/),
      ahead: z.string().regex(/^(?=a)/),
    });
    expect(accepts(type, { flag: "A", both: "bc", ahead: "a" })).toBe(true);
    expect(accepts(type, { flag: "A", both: "bd", ahead: "a" })).toBe(false);
  });

  test("every string format of zod's is one that may be registered", () => {
    const formats = [
      z.email(),
      z.uuid(),
      z.url(),
      z.ipv4(),
      z.ipv6(),
      z.cuid2(),
      z.ulid(),
      z.nanoid(),
      z.base64(),
      z.base64url(),
      z.jwt(),
      z.emoji(),
      z.e164(),
      z.cidrv4(),
      z.cidrv6(),
      z.iso.datetime(),
      z.iso.date(),
      z.iso.time(),
      z.iso.duration(),
      z.hostname(),
    ];
    for (const format of formats) expect(checkSchema(schemaOf(format, "input"))).toBeUndefined();
    expect(accepts(z.email(), "ada@example.org")).toBe(true);
    expect(accepts(z.email(), "ada")).toBe(false);
  });

  test("recursive types", () => {
    const tree = z.object({
      name: z.string(),
      get kids() {
        return z.array(tree).optional();
      },
    });
    expect(accepts(tree, { name: "a", kids: [{ name: "b" }] })).toBe(true);
    expect(accepts(tree, { name: "a", kids: [{ nmae: "b" }] })).toBe(false);
    expect(accepts(z.json(), { a: [1, null, "x"] })).toBe(true);
  });

  test.each([
    ["date", z.object({ at: z.date() })],
    ["bigint", z.bigint()],
    ["undefined", z.undefined()],
  ])("throws for %s", (_, type) => {
    expect(() => schemaOf(type, "input")).toThrow(/the input has no JSON Schema: .+ cannot be represented/);
  });
});
