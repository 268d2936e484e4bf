// A message's data as parameters of a query string: which fields there are, and how each is written. Derived from the JSON Schema, so that
// the door reads exactly what the OpenAPI document describes.

import { z } from "zod";
import { type Fault, FaultError, fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { readStrictJson } from "./strict-json.ts";

export type JsonSchema = { readonly [key: string]: unknown };

/**
 * How a value is written: `text` as it is, `number` and `boolean` as in JSON, anything else as JSON text. `many`: an array, with one
 * parameter for each element.
 */
export interface Field {
  readonly kind: "text" | "number" | "boolean" | "json";
  readonly many: boolean;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

export type Fields = ReadonlyMap<string, Field>;

/** A parameter's name and value, decoded. */
export type Pair = readonly [name: string, value: string];

const LONGEST_SHOWN = 80;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The JSON Schema of a message's data, as input. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}

export function fieldsOf(data: JsonSchema): Fields {
  const required = (data.required ?? []) as readonly string[];
  const properties = (data.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  return new Map(
    Object.entries(properties).map(([name, schema]) => [
      name,
      { ...writtenAs(schema), required: required.includes(name), schema },
    ]),
  );
}

function writtenAs(schema: JsonSchema): Pick<Field, "kind" | "many"> {
  if (schema.type !== "array") return { kind: kindOf(schema), many: false };
  const { items } = schema;
  // A tuple, or an array of anything, is written as one value.
  if (typeof items !== "object" || items === null || schema.prefixItems !== undefined)
    return { kind: "json", many: false };
  return { kind: kindOf(items as JsonSchema), many: true };
}

function kindOf({ type, anyOf, oneOf, enum: values, const: value }: JsonSchema): Field["kind"] {
  if (typeof value === "string") return "text";
  if (Array.isArray(values) && values.every((one) => typeof one === "string")) return "text";
  // `null` cannot be written in a query; a POST can send it.
  const alternatives = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined;
  const kinds = new Set(
    alternatives === undefined
      ? [type]
          .flat()
          .filter((one) => one !== "null")
          .map(kindOfType)
      : alternatives.filter((one) => one.type !== "null").map((one) => kindOf(one)),
  );
  const [only] = kinds;
  return kinds.size === 1 && only !== undefined ? only : "json";
}

function kindOfType(type: unknown): Field["kind"] {
  switch (type) {
    case "string":
      return "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    default:
      return "json";
  }
}

/** The parameters of a query string (without its `?`), as HTML forms and URLSearchParams write them. @throws FaultError */
export function readPairs(query: string): Pair[] {
  if (query === "") return [];
  return query
    .split("&")
    .filter((part) => part !== "")
    .map((part, index) => {
      const equals = part.indexOf("=");
      const name = equals < 0 ? part : part.slice(0, equals);
      return [decoded(name, index), equals < 0 ? "" : decoded(part.slice(equals + 1), index)];
    });
}

/** The fault does not repeat what cannot be decoded: it might be a secret, and end up in a log. */
function decoded(text: string, index: number): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    const place = `parameter ${index + 1} of the query`;
    throw new FaultError(fault("REQUEST_MALFORMED", `${place} is no percent-encoded UTF-8`));
  }
}

export function writePairs(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
}

/** The data of the parameters. A value that does not fit its field stays a text, which the schema then refuses. @throws FaultError */
export function dataOf(message: string, pairs: readonly Pair[], fields: Fields): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const [name, text] of pairs) {
    if (name === "__proto__") throw invalid(message, name, "is no name");
    const field = fields.get(name);
    const value = field === undefined ? text : readValue(message, name, text, field.kind);
    if (field?.many) data[name] = [...((data[name] as unknown[] | undefined) ?? []), value];
    else if (Object.hasOwn(data, name)) throw invalid(message, printable(name, LONGEST_SHOWN), "is there twice");
    else data[name] = value;
  }
  return data;
}

function readValue(message: string, name: string, text: string, kind: Field["kind"]): unknown {
  switch (kind) {
    case "text":
      return text;
    case "number":
      return NUMBER.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "json": {
      const read = readStrictJson(text, `"${name}"`);
      if ("fault" in read) throw invalid(message, name, `must be JSON: ${read.fault.message}`);
      return read.value;
    }
    default:
      return kind satisfies never;
  }
}

function invalid(message: string, path: string, problem: string): FaultError {
  const refused: Fault = fault("MESSAGE_INVALID", `${message}: "${path}" ${problem}`, [{ path, problem }]);
  return new FaultError(refused);
}
