// The short form of a schema that people read: `{name: string, n?: integer}`, `string[]`, `"a" | "b"`, `any`.

import { type Json, namesOf } from "./json-pointer.ts";
import { quote } from "./quote.ts";

/** Deeper than this a shape says `…`: it is a reminder, not the schema. */
const DEEPEST = 4;
const LONGEST = 200;

type SchemaObject = { readonly [key: string]: Json };

/** `root` is what the schema's `#/…` references are looked up in, where it is only a part of it. */
export function shape(schema: unknown, root: unknown = schema): string {
  const text = shapeOf(schema as Json, root as Json, 0);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function shapeOf(schema: Json | undefined, root: Json, depth: number): string {
  if (schema === false) return "never";
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return "any";
  const part = (inner: Json | undefined): string => shapeOf(inner, root, depth + 1);
  if (depth > DEEPEST) return "…";
  if (typeof schema.$ref === "string") return part(referenced(schema.$ref, root));
  if (schema.const !== undefined) return literal(schema.const);
  if (Array.isArray(schema.enum)) return union(schema.enum.map(literal));
  for (const keyword of ["anyOf", "oneOf"]) {
    const branches = schema[keyword];
    if (Array.isArray(branches)) return union(branches.map(part));
  }
  if (Array.isArray(schema.allOf) && schema.type === undefined)
    return [...new Set(schema.allOf.map(part).map(grouped))].join(" & ");
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? impliedType(schema)];
  return union(
    types.map((type) =>
      type === "object" ? objectShape(schema, part) : type === "array" ? arrayShape(schema, part) : named(type),
    ),
  );
}

function impliedType(schema: SchemaObject): string {
  if (own(schema, "properties")) return "object";
  return own(schema, "items") || own(schema, "prefixItems") ? "array" : "any";
}

/** In parentheses where it has a `|` or `&` outside of any braces. */
function grouped(text: string): string {
  let bare = text;
  for (let last = ""; bare !== last; ) {
    last = bare;
    bare = bare.replace(/"[^"]*"|\{[^{}]*\}|\[[^[\]]*\]|\([^()]*\)/g, "");
  }
  return / [|&] /.test(bare) ? `(${text})` : text;
}

function objectShape(schema: SchemaObject, part: (inner: Json | undefined) => string): string {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  const members = properties.map(
    ([name, inner]) => `${memberName(name)}${required.has(name) ? "" : "?"}: ${part(inner)}`,
  );
  const others = schema.additionalProperties;
  if (isObject(others)) members.push(`[name]: ${part(others)}`);
  if (members.length === 0 && others !== false) return "object";
  return `{${members.join(", ")}}`;
}

function arrayShape(schema: SchemaObject, part: (inner: Json | undefined) => string): string {
  const rest = own(schema, "items") ? schema.items : undefined;
  const each = rest === undefined ? "any" : part(rest);
  const list = `${grouped(each)}[]`;
  if (!Array.isArray(schema.prefixItems)) return list;
  return `[${[...schema.prefixItems.map(part), ...(rest === false ? [] : [`...${list}`])].join(", ")}]`;
}

function referenced(reference: string, root: Json): Json | undefined {
  if (!reference.startsWith("#/") && reference !== "#") return undefined;
  let place: Json | undefined = root;
  for (const name of namesOf(reference.slice(1).replaceAll("%25", "%"))) {
    place =
      typeof place === "object" && place !== null && Object.hasOwn(place, name)
        ? (place as SchemaObject)[name]
        : undefined;
  }
  return place;
}

const literal = (value: Json): string =>
  typeof value === "string" ? quote(value) : quote(JSON.stringify(value)).slice(1, -1).replaceAll('\\"', '"');
const union = (parts: readonly string[]): string => [...new Set(parts)].join(" | ");
const named = (type: Json): string => (typeof type === "string" ? type : "any");
const memberName = (name: string): string =>
  /^[A-Za-z_$][\w$-]*$/.test(name) && name.length <= 64 ? name : quote(name);
const own = (schema: SchemaObject, keyword: string): boolean => Object.hasOwn(schema, keyword);
const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
