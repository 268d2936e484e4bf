// A message's data in a query string: each field as its schema says, and nothing guessed.

import { expect, test } from "bun:test";
import { z } from "zod";
import type { FaultError } from "../fault/fault.ts";
import { dataOf, fieldsOf, inputSchema, readPairs, writePairs } from "./fields.ts";

const schema = z.strictObject({
  name: z.string(),
  limit: z.number().int().optional(),
  readOnly: z.boolean().default(false),
  kind: z.enum(["a", "b"]).optional(),
  either: z.union([z.string(), z.number()]).optional(),
  maybe: z.string().nullable().optional(),
  tags: z.array(z.string()).optional(),
  sizes: z.array(z.number()).optional(),
  filters: z.array(z.object({ at: z.number() })).optional(),
  pair: z.tuple([z.string(), z.number()]).optional(),
  input: z.unknown().optional(),
  options: z.record(z.string(), z.unknown()).optional(),
});
const fields = fieldsOf(inputSchema(schema));

function read(query: string): unknown {
  return dataOf("thing.list", readPairs(query), fields);
}

function faultOf(query: string): unknown {
  try {
    return read(query);
  } catch (thrown) {
    return (thrown as FaultError).toFault();
  }
}

test("each field is read by its type", () => {
  expect(read("name=1&limit=2&readOnly=true&kind=a&maybe=x&either=%22x%22")).toEqual({
    ...{ name: "1", limit: 2, readOnly: true, kind: "a", maybe: "x", either: "x" },
  });
  expect(read("tags=a&tags=b&sizes=1&filters=%7B%22at%22:1%7D&pair=[%22a%22,1]")).toEqual({
    ...{ tags: ["a", "b"], sizes: [1], filters: [{ at: 1 }], pair: ["a", 1] },
  });
  expect(read("input={%22a%22:[1]}&options=%7B%7D")).toEqual({ input: { a: [1] }, options: {} });
  expect(read("")).toEqual({});
  expect(read("name=a+b%20c%2Bd&name2=")).toEqual({ name: "a b c+d", name2: "" });
});

test("only what the schema demands is required", () => {
  expect([...fields].filter(([, { required }]) => required).map(([name]) => name)).toEqual(["name"]);
});

test("what does not fit is left for the schema to refuse", () => {
  expect(read("limit=&readOnly=yes&limits=1")).toEqual({ limit: "", readOnly: "yes", limits: "1" });
  for (const limit of ["0x10", "1_0", " 1", "01", "+1", "Infinity", "1,2"]) {
    expect(schema.safeParse(read(`name=a&limit=${encodeURIComponent(limit)}`)).success).toBe(false);
  }
});

test.each([
  ["name=a&name=b", "MESSAGE_INVALID", 'thing.list: "name" is there twice'],
  ["input=hello", "MESSAGE_INVALID", 'thing.list: "input" must be JSON: "input" is no JSON'],
  ['input={"a":1,"a":2}', "MESSAGE_INVALID", "a second time"],
  ["__proto__=1", "MESSAGE_INVALID", '"__proto__" is no name'],
  ["name=%ff", "REQUEST_MALFORMED", "parameter 1 of the query is no percent-encoded UTF-8"],
  ["name=%zz", "REQUEST_MALFORMED", "parameter 1 of the query is no percent-encoded UTF-8"],
])("%s is refused", (query, code, message) => {
  expect(faultOf(query)).toMatchObject({ code, message: expect.stringContaining(message) });
});

test("names of every object's are unknown names", () => {
  const data = read("constructor=1&toString=2") as object;
  expect(Object.keys(data)).toEqual(["constructor", "toString"]);
  expect(schema.safeParse(data).success).toBe(false);
});

test("parameters are written as they are read", () => {
  const pairs = [
    ["name", "ä &=+%"],
    ["after", "a/b"],
  ] as const;
  expect(readPairs(writePairs(pairs))).toEqual(pairs as never);
});
