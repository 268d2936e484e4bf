// Schemas compiled once and kept: the same object again, or the same text, costs a look-up. Bounded, because callers
// register as many schemas as their grant allows.

import type { Json } from "./json-pointer.ts";
import { Exhausted } from "./meter.ts";
import { plainJson } from "./plain-json.ts";
import { type Problem, problemAt, problemsOf } from "./problem.ts";
import { compileValidator, type Validator } from "./validator.ts";

/** What is wrong with a value; empty where nothing is. Never throws, never changes the value. */
export type Check = (value: unknown) => readonly Problem[];

/** A schema of ours fits well below; one that does not was never checked. */
export const SCHEMA_LIMITS = { depth: 32, bytes: 64 * 1024 } as const;

/** Compiled schemas kept by text; each is some 10–100 kB of generated code. */
const KEPT = 512;
const NONE: readonly Problem[] = Object.freeze([]);

// By identity only as long as the schema lives. Schemas are rows and definitions: nobody changes one in place.
const byIdentity = new WeakMap<object, Check>();
const byText = new Map<string, Check>();
const acceptAll: Check = () => NONE;

/** The check for a schema that `checkSchema` accepted; throws for one that it would not have. */
export function compileSchema(schema: unknown): Check {
  if (schema === true) return acceptAll; // what most actions say of their output
  const isObject = typeof schema === "object" && schema !== null;
  const known = isObject ? byIdentity.get(schema) : undefined;
  if (known) return known;
  const plain = plainJson(schema, SCHEMA_LIMITS);
  if ("why" in plain)
    throw new Error(`the schema${plain.pointer && ` at ${plain.pointer}`} ${plain.why}; checkSchema refuses it`);
  const check = compileText(plain.text, plain.json);
  if (isObject) byIdentity.set(schema, check);
  return check;
}

/** Whether this schema is compiled already, and so was accepted. */
export function isCompiled(text: string): boolean {
  return byText.has(text);
}

export function compileText(text: string, json: Json): Check {
  let check = byText.get(text);
  if (check) {
    byText.delete(text); // last used, last evicted
  } else {
    check = checkOf(json);
    if (byText.size >= KEPT) byText.delete(byText.keys().next().value as string);
  }
  byText.set(text, check);
  return check;
}

function checkOf(json: Json): Check {
  const first = compileValidator(json, false);
  let every: Validator | undefined; // most values are valid: it is compiled with the first that is not
  return (value) => {
    try {
      if (first.accepts(value)) return NONE;
    } catch (thrown) {
      return [problemAt("", tooCostly(thrown))];
    }
    const found = first.takeErrors();
    try {
      every ??= compileValidator(json, true);
      every.accepts(value);
      const all = every.takeErrors();
      return problemsOf(all.length > 0 ? all : found, json);
    } catch {
      every?.takeErrors();
      return problemsOf(found, json); // too many to tell: the first
    }
  };
}

function tooCostly(thrown: unknown): string {
  if (thrown instanceof Exhausted) return "is too large to check against its schema; send less at a time";
  if (thrown instanceof RangeError) return "is nested too deep to check";
  return "cannot be read";
}
