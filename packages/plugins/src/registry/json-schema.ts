// Callers' JSON Schemas (draft 2020-12): what may be registered. This is the front of the folder's schema files; checking
// values is compiled-schema.ts, telling what is wrong problem.ts.

import { type Fault, printable } from "@capstan/orchestrator";
import { compileText, isCompiled, SCHEMA_LIMITS } from "./compiled-schema.ts";
import { plainJson } from "./plain-json.ts";
import { type SchemaFlaw, schemaFlaw } from "./schema-walk.ts";
import { metaSchemaError } from "./validator.ts";

export { compileSchema } from "./compiled-schema.ts";
export { describeProblems } from "./problem.ts";
export { shape } from "./shape.ts";
export { schemaOf } from "./zod-schema.ts";

/** `SCHEMA_INVALID` where the schema may not be registered; `compileSchema` takes what this accepts. */
export function checkSchema(schema: unknown): Fault | undefined {
  const isObject = typeof schema === "object" && schema !== null && !Array.isArray(schema);
  if (!isObject && typeof schema !== "boolean") {
    return refused({ pointer: "", why: 'is no JSON Schema; give an object such as {"type":"object"}, or true' });
  }
  const plain = plainJson(schema, SCHEMA_LIMITS);
  if ("why" in plain) return refused(plain);
  const { json, text } = plain;
  if (isCompiled(text)) return undefined;
  const error = metaSchemaError(json);
  if (error) {
    return refused({ pointer: error.instancePath, why: `is not valid in draft 2020-12: ${error.message}` });
  }
  const flaw = schemaFlaw(json);
  if (flaw) return refused(flaw);
  try {
    compileText(text, json);
    return undefined;
  } catch (thrown) {
    return refused({ pointer: "", why: `does not compile: ${(thrown as Error).message}` });
  }
}

function refused({ pointer, why }: SchemaFlaw): Fault {
  const place = pointer === "" ? "the schema" : `the schema at ${printable(pointer)}`;
  return { code: "SCHEMA_INVALID", message: printable(`${place} ${why}`), details: { pointer } };
}
