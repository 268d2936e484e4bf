// The description of messages whose schemas are unusual: what refers to itself, what cannot be said, what takes anything.

import { expect, test } from "bun:test";
import { z } from "zod";
import { query } from "../../message/definition.ts";
import { compose } from "../../plugin/composition.ts";
import { next } from "../../plugin/result.ts";
import { admits, plugin, takes } from "../../testing/start.fixture.ts";
import { operationsOf } from "../operation.ts";
import { openApi } from "./open-api.ts";

const tree = z.object({
  name: z.string(),
  get children() {
    return z.array(tree);
  },
});

const messages = {
  leaf: {
    grow: query({
      summary: "Grow.",
      data: z.strictObject({
        tree,
        at: z.date().optional(),
        after: z.number().int().optional().describe("A leaf's number."),
        kinds: z.array(z.enum(["oak", "elm"])).optional(),
        any: z.unknown().optional(),
      }),
      result: tree,
    }),
    pick: takes("name", "by"),
    count: query({
      summary: "Count.",
      data: z.strictObject({ name: z.string().regex(/^oak$/), after: z.number().optional() }),
      result: z.object({ items: z.array(z.strictObject({ n: z.number() })), next: z.number().optional() }),
    }),
  },
};

function described(): any {
  const composition = compose([admits(), plugin("leaves", { messages, decide: () => next() })]);
  return openApi(operationsOf(composition), composition, "1.2.3");
}

/** What a reference leads to, as RFC 6901 has it. */
function resolve(document: any, pointer: string): unknown {
  return pointer
    .slice(2)
    .split("/")
    .reduce((at, part) => at?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = (value as { $ref?: unknown }).$ref;
  return [...(typeof own === "string" ? [own] : []), ...Object.values(value).flatMap(references)];
}

test("a schema that refers to itself does so within the document", () => {
  const document = described();
  const found = references(document);
  expect(found).toContain("#/components/schemas/leaf_grow_result");
  expect(found.some((one) => one.startsWith("#/components/schemas/leaf_grow_data/$defs/"))).toBe(true);
  for (const one of found) expect([one, resolve(document, one) !== undefined]).toEqual([one, true]);
  expect(JSON.stringify(document)).not.toContain('"$schema"');
});

test("a parameter is described as it is read", () => {
  const { parameters } = described().paths["/v1/leaf/grow"].get;
  const byName = Object.fromEntries(
    parameters.filter(({ in: at }: any) => at === "query").map((one: any) => [one.name, one]),
  );
  expect(byName.tree).toMatchObject({ required: true, content: { "application/json": { schema: expect.anything() } } });
  expect(byName.kinds.schema).toMatchObject({ type: "array", items: { enum: ["oak", "elm"] } });
  expect(byName.any.content["application/json"].schema).toEqual({});
  expect(byName.after).toMatchObject({ description: "A leaf's number.", schema: { type: "integer" } });
});

test("a page says which field takes its next, and what is no page does not", () => {
  const { paths } = described();
  expect(paths["/v1/leaf/count"].get.responses[200].links.next).toEqual({
    operationId: "leaf_count",
    parameters: { after: "$response.body#/next" },
  });
  expect(paths["/v1/leaf/grow"].get.responses[200].links).toBeUndefined();
});

test("results are open where nothing closes them, and examples are what the message takes", () => {
  const { components, paths } = described();
  expect(components.schemas.leaf_count_result.additionalProperties).toBeUndefined();
  expect(components.schemas.leaf_count_result.properties.items.items.additionalProperties).toBe(false);
  expect(components.schemas.leaf_count_data.additionalProperties).toBe(false);
  const bodyOf = (name: string) => paths[`/v1/leaf/${name}`].post.requestBody.content["application/json"];
  expect(bodyOf("pick").example).toEqual({ name: "example", by: "example" });
  // Its name fits a pattern that nobody can guess.
  expect(bodyOf("count")).not.toHaveProperty("example");
});
