// The JSON Schema of a zod type: what `describe`, OpenAPI, MCP and the registry's own check see of an operator's action.

import { z } from "zod";
import { type Json, namesOf } from "./json-pointer.ts";
import { linearPattern } from "./pattern.ts";

export type SchemaDirection = "input" | "output";

type SchemaObject = { [key: string]: Json };

/**
 * Draft 2020-12. Objects of an input are closed unless they say otherwise (`z.looseObject`, `.catchall`). What a schema
 * cannot say (`.refine`, a pattern with lookaround or flags) is left to zod, which parses the value once more anyway.
 * Throws for types that JSON does not have (Date, bigint, a transform's output).
 */
export function schemaOf(type: z.ZodType, io: SchemaDirection): SchemaObject {
  let schema: unknown;
  try {
    schema = z.toJSONSchema(type, {
      io,
      target: "draft-2020-12",
      override: ({ zodSchema, jsonSchema }) => {
        const node = jsonSchema as SchemaObject;
        if (io === "input" && zodSchema._zod.def.type === "object" && node.additionalProperties === undefined) {
          node.additionalProperties = false;
        }
        dropForeignPatterns(node, flaggedSources(zodSchema));
      },
    });
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`the ${io} has no JSON Schema: ${why}; use types that JSON has (a date as z.iso.datetime())`);
  }
  // Plain data: zod adds a hidden "~standard" with functions.
  const plain = JSON.parse(JSON.stringify(schema)) as SchemaObject;
  const closers = nodesOf(plain).filter((node) => Array.isArray(node.allOf) && inPlace(node, plain).some(isClosed));
  const opened = closers.flatMap((node) => inPlace(node, plain));
  for (const node of closers) node.unevaluatedProperties = false;
  for (const node of opened) {
    if (node.additionalProperties === false) delete node.additionalProperties;
    if (node.unevaluatedProperties === false) delete node.unevaluatedProperties;
  }
  return plain;
}

// An intersection that zod could not merge into one object is an `allOf`. Members closed each for itself would refuse each
// other's properties, so the intersection is closed as a whole instead.

const isClosed = (node: SchemaObject): boolean => node.additionalProperties === false;

/** The schemas that apply to the same value as this `allOf`, however deep. */
function inPlace(node: SchemaObject, root: SchemaObject, found = new Set<SchemaObject>()): SchemaObject[] {
  const lists = [node.allOf, node.anyOf, node.oneOf].flatMap((list) => (Array.isArray(list) ? list : []));
  const target = typeof node.$ref === "string" ? referenced(node.$ref, root) : undefined;
  for (const next of [...lists, target]) {
    if (!isObject(next) || found.has(next)) continue;
    found.add(next);
    inPlace(next, root, found);
  }
  return [...found];
}

/** Zod refers to `#` and `#/$defs/<name>` only. */
function referenced(reference: string, root: SchemaObject): Json | undefined {
  if (reference === "#") return root;
  const name = namesOf(reference.slice(1)).at(-1);
  return isObject(root.$defs) && name !== undefined && Object.hasOwn(root.$defs, name) ? root.$defs[name] : undefined;
}

/** Every object in a schema that may be a schema: all but the values in it. */
function nodesOf(value: Json, nodes: SchemaObject[] = []): SchemaObject[] {
  if (Array.isArray(value)) {
    for (const item of value) nodesOf(item, nodes);
  } else if (isObject(value)) {
    nodes.push(value);
    for (const [key, item] of Object.entries(value)) {
      if (!["const", "default", "enum", "examples"].includes(key)) nodesOf(item, nodes);
    }
  }
  return nodes;
}

function isObject(value: Json | undefined): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Patterns whose flags zod leaves out: without `i`, /^a$/i would refuse "A". */
function flaggedSources(type: z.core.$ZodType): ReadonlySet<string> {
  const checks = type._zod.def.checks ?? [];
  const patterns = checks.flatMap((check) => {
    const { pattern } = check._zod.def as { pattern?: unknown };
    return pattern instanceof RegExp && /[ims]/.test(pattern.flags) ? [pattern.source] : [];
  });
  return new Set(patterns);
}

function dropForeignPatterns(node: SchemaObject, flagged: ReadonlySet<string>): void {
  if (typeof node.pattern === "string" && (flagged.has(node.pattern) || !isLinear(node.pattern))) delete node.pattern;
  if (!Array.isArray(node.allOf)) return;
  for (const part of node.allOf) {
    if (typeof part === "object" && part !== null && !Array.isArray(part)) dropForeignPatterns(part, flagged);
  }
}

function isLinear(source: string): boolean {
  try {
    linearPattern(source);
    return true;
  } catch {
    return false;
  }
}
