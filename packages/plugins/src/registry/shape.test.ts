import { expect, test } from "bun:test";
import { shape } from "./shape.ts";

test.each([
  [true, "any"],
  [false, "never"],
  [{}, "any"],
  [{ type: "string" }, "string"],
  [{ type: ["string", "null"] }, "string | null"],
  [{ type: "object", properties: { name: { type: "string" } }, required: ["name"] }, "{name: string}"],
  [
    { properties: { text: { type: "string" }, n: { type: "integer" } }, required: ["text"] },
    "{text: string, n?: integer}",
  ],
  [{ type: "object" }, "object"],
  [{ type: "object", additionalProperties: false }, "{}"],
  [{ type: "object", additionalProperties: { type: "number" } }, "{[name]: number}"],
  [{ type: "array", items: { type: "string" } }, "string[]"],
  [{ items: { enum: ["a", "b"] } }, '("a" | "b")[]'],
  [{ items: { properties: { a: { type: ["string", "null"] } } } }, "{a?: string | null}[]"],
  [{ type: "array" }, "any[]"],
  [{ prefixItems: [{ type: "string" }, { type: "number" }], items: false }, "[string, number]"],
  [{ prefixItems: [{ type: "string" }], items: { type: "number" } }, "[string, ...number[]]"],
  [{ enum: ["a", 1, null] }, '"a" | 1 | null'],
  [{ const: "a" }, '"a"'],
  [{ anyOf: [{ type: "string" }, { type: "number" }, { type: "string" }] }, "string | number"],
  [{ allOf: [{ anyOf: [{ type: "string" }, { type: "number" }] }, { const: 1 }] }, "(string | number) & 1"],
  [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, "string"],
  [
    { properties: { "a b": true, constructor: true, "\u001b": true } },
    '{"a b"?: any, constructor?: any, "\\u001b"?: any}',
  ],
  [{ $ref: "#/$defs/__proto__" }, "any"],
  ["no schema", "any"],
])("%j is %s", (schema, text) => {
  expect(shape(schema)).toBe(text);
});

test("recursion and length end", () => {
  expect(shape({ type: "object", properties: { kids: { items: { $ref: "#" } } } })).toContain("…");
  const wide = { properties: Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`property${i}`, true])) };
  expect(shape(wide)).toHaveLength(200);
});
