import { describe, expect, test } from "bun:test";
import { checkSchema, compileSchema } from "./json-schema.ts";

const why = (schema: unknown): string => {
  const fault = checkSchema(schema);
  if (fault) expect(fault.code).toBe("SCHEMA_INVALID");
  return fault?.message ?? "";
};
const nested = (levels: number): unknown => (levels === 0 ? {} : { not: nested(levels - 1) });

describe("checkSchema accepts", () => {
  test.each([
    ["true", true],
    ["false", false],
    ["an empty schema", {}],
    ["the draft by name", { $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://example.org/a" }],
    ["unknown keywords, ids and formats", { id: "Bee", "x-mine": { $ref: "http://a/b" }, format: "nonesuch" }],
    ["recursion into the value", { properties: { kids: { items: { $ref: "#" } } } }],
    [
      "references to $defs, definitions and anchors",
      {
        allOf: [{ $ref: "#/$defs/a~1b%25" }, { $ref: "#/definitions/c" }, { $ref: "#here" }],
        $defs: { "a/b%": true, d: { $anchor: "here" } },
        definitions: { c: {} },
      },
    ],
    [
      "a property that is named like a keyword",
      { properties: { $ref: { type: "string" }, pattern: { type: "string" }, $id: {} } },
    ],
    [
      "a property that is named constructor",
      { properties: { constructor: { type: "string" } }, required: ["constructor"] },
    ],
    [
      "values that look like schemas",
      { const: { $ref: "http://a/b", pattern: "(" }, enum: [{ $id: 3 }], default: { $async: true } },
    ],
    [
      "many fields",
      { properties: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`p${i}`, { type: "string" }])) },
    ],
  ])("%s", (_, schema) => {
    expect(checkSchema(schema)).toBeUndefined();
    expect(() => compileSchema(schema)).not.toThrow();
  });

  test("itself again, without compiling it twice", () => {
    const schema = { type: "string", minLength: 3 };
    expect(checkSchema(schema)).toBeUndefined();
    expect(compileSchema(structuredClone(schema))).toBe(compileSchema(schema));
  });
});

describe("checkSchema refuses", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.not = cyclic;
  test.each([
    ["no schema", "text", "the schema is no JSON Schema"],
    ["an array", [], "the schema is no JSON Schema"],
    ["null", null, "the schema is no JSON Schema"],
    ["a function in it", { default: () => 1 }, "the schema at /default is a function"],
    ["an instance in it", { const: new Date(0) }, "the schema at /const is no plain object"],
    [
      "a getter that throws",
      {
        get type() {
          throw new Error("no");
        },
      },
      "the schema cannot be read",
    ],
    ["NaN", { const: Number.NaN }, "the schema at /const is a number that JSON does not have"],
    ["one over 64 KiB", { description: "x".repeat(65_600) }, "the schema is larger than 65536 bytes"],
    ["one over 64 KiB in UTF-8", { description: "é".repeat(40_000) }, "the schema is larger than 65536 bytes"],
    ["one deeper than 32", nested(32), "is nested deeper than 32 levels"],
    ["one that contains itself", cyclic, "is nested deeper than 32 levels"],
    [
      "more than 1,000 keywords",
      { allOf: Array.from({ length: 501 }, () => ({ minimum: 1, maximum: 2 })) },
      "has more than 1000 keywords",
    ],
    [
      "a wrong type",
      { properties: { a: { type: "text" } } },
      "the schema at /properties/a/type is not valid in draft 2020-12",
    ],
    [
      "another draft",
      { $schema: "http://json-schema.org/draft-07/schema#" },
      "the schema at /$schema is another draft",
    ],
    [
      "a remote reference",
      { items: { $ref: "https://example.org/x" } },
      'the schema at /items/$ref "https://example.org/x" is not local',
    ],
    ["a reference to the meta-schema", { $ref: "https://json-schema.org/draft/2020-12/schema" }, "is not local"],
    ["a relative reference", { $ref: "other.json" }, "is not local"],
    ["a remote dynamic reference", { $dynamicRef: "https://example.org/x#a" }, "is not local"],
    ["a reference to nothing", { $ref: "#/$defs/none" }, 'the schema at /$ref "#/$defs/none" names no schema in here'],
    ["a reference into a prototype", { $ref: "#/constructor" }, "names no schema in here"],
    ["a reference to a value", { $ref: "#/default", default: {} }, "names no schema in here"],
    ["a reference with a broken escape", { $ref: "#/$defs/%zz" }, "names no schema in here"],
    ["a reference to itself", { $ref: "#" }, "refers to itself without going into"],
    [
      "a loop of references",
      { $ref: "#/$defs/a", $defs: { a: { allOf: [{ $ref: "#/$defs/b" }] }, b: { not: { $ref: "#/$defs/a" } } } },
      "refers to itself",
    ],
    ["a nested document", { $defs: { a: { $id: "b" } } }, "the schema at /$defs/a/$id is only allowed at the top"],
    ["an anchor twice", { $defs: { a: { $anchor: "x" }, b: { $anchor: "x" } } }, "is there twice"],
    ["an anchor out of a prototype", { $dynamicAnchor: "constructor" }, 'may not be "constructor"'],
    [
      "ajv's asynchronous schemas, which accept everything",
      { $async: true, type: "string" },
      "the schema at /$async is not part of draft",
    ],
    [
      "a key that would set a prototype",
      JSON.parse('{"properties":{"__proto__":{"type":"string"}}}'),
      'the schema at /properties has a key "__proto__"',
    ],
    ["a broken pattern", { pattern: "(" }, "the schema at /pattern does not compile"],
    ["lookahead", { properties: { a: { pattern: "(?!a)b" } } }, "the schema at /properties/a/pattern does not compile"],
    ["a back-reference", { pattern: "(a)\\1" }, "no back-references"],
    [
      "a broken pattern as a key",
      { patternProperties: { "(": {} } },
      "the schema at /patternProperties/( does not compile",
    ],
    [
      "a pattern that unfolds",
      { pattern: `(${"ab".repeat(450)}){1000}` },
      "the schema at /pattern makes the schema's patterns too large",
    ],
    ["a pattern that unfolds in steps", { pattern: `(((${"ab".repeat(400)}){10}){10}){10}` }, "too large"],
    [
      "many patterns together",
      { allOf: Array.from({ length: 60 }, (_, i) => ({ pattern: `(${i}a){200}` })) },
      "too large",
    ],
  ])("%s", (_, schema, text) => {
    expect(why(schema)).toContain(text);
  });

  test("and names the place for programs, and nothing that moves a cursor", () => {
    const fault = checkSchema({ properties: { "\u001b[2J/\u202e": { type: 1 } } });
    expect(fault?.details).toEqual({ pointer: "/properties/\u001b[2J~1\u202e/type" });
    expect(fault?.message).toContain("/properties/\\u001b[2J~1\\u202e/type");
  });

  test("bombs at once", () => {
    const shared = Array.from({ length: 31 }).reduce<unknown>((inner) => ({ allOf: [inner, inner, inner, inner] }), {});
    const before = process.cpuUsage();
    expect(checkSchema(shared)?.code).toBe("SCHEMA_INVALID");
    expect(checkSchema({ enum: new Array(2 ** 30) })?.code).toBe("SCHEMA_INVALID");
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(5_000);
  });
});
