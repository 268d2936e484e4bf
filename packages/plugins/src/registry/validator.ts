// ajv, set up for schemas and values that others wrote: nothing is fetched, coerced or filled in, patterns run in linear
// time, `uniqueItems` too, and every run is metered. One ajv a schema: its scope keeps whatever it ever compiled.

import Ajv2020, { type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import type { Json } from "./json-pointer.ts";
import { Meter, MOST_ERRORS_INSIDE, MOST_ERRORS_TOLD } from "./meter.ts";
import { linearPattern } from "./pattern.ts";

export interface Validator {
  /** Whether the value is valid; throws `Exhausted`, or a RangeError where the stack ends. */
  accepts(value: unknown): boolean;
  /** The last value's errors, handed over once: they hold parts of it. */
  takeErrors(): readonly ErrorObject[];
}

/** Compiles a checked schema. `every`: go on after the first error, for telling all of them. */
export function compileValidator(schema: Json, every: boolean): Validator {
  const meter = new Meter(every ? MOST_ERRORS_TOLD : MOST_ERRORS_INSIDE);
  const ajv = new Ajv2020({
    strict: false, // the draft ignores unknown keywords
    meta: false,
    validateSchema: false, // json-schema.ts has
    validateFormats: false, // draft 2020-12 validation §7: `format` is an annotation
    ownProperties: true, // "constructor" is missing from {}
    inlineRefs: false, // a schema is compiled once, however often it is referred to
    allErrors: every,
    verbose: true,
    logger: false,
    code: { regExp: meteredPatterns(meter), process: metered },
  });
  Object.assign(ajv, { meter }); // generated code sees its ajv as `self`
  // ajv's own throws: `id` is an unknown keyword of this draft. Zod writes it.
  ajv.removeKeyword("id");
  // ajv's own compares each with each: 100,000 objects would be 5·10^9 comparisons.
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    validate: (wanted: boolean, items: readonly unknown[]) => !wanted || areUnique(items),
    error: { message: "must not have two equal items" },
  });
  const validate = ajv.compile(withoutIdentity(schema)) as ValidateFunction;
  return {
    accepts(value) {
      meter.reset();
      return validate(value);
    },
    takeErrors() {
      const errors = validate.errors ?? [];
      validate.errors = null;
      return errors;
    },
  };
}

/** ajv's draft 2020-12 meta-schema: the first error of a schema, or `undefined`. */
export function metaSchemaError(schema: Json): ErrorObject | undefined {
  metaValidator ??= new Ajv2020({ strict: false, validateFormats: false, logger: false }).getSchema(
    "https://json-schema.org/draft/2020-12/schema",
  ) as ValidateFunction;
  return metaValidator(schema) ? undefined : metaValidator.errors?.[0];
}
let metaValidator: ValidateFunction | undefined;

// What generated code pays for. String literals match first and stay: a schema may contain any of these texts.
// - the end of every function's head: a call
// - an error
// - a called function's errors, joined to ours by copying both: 300,000 items took minutes
const PAID =
  /"(?:[^"\\]|\\.)*"|dynamicAnchors=\{\}\}=\{\}\)\{|errors\+\+;|(?<=vErrors\.concat\([\w.]+\);)errors = vErrors\.length;/g;
const HEAD = "dynamicAnchors={}}={}){";

function metered(code: string): string {
  let heads = 0;
  const paying = code.replace(PAID, (found) => {
    if (found.startsWith('"')) return found;
    if (found === "errors++;") return "errors++;self.meter.spendError();";
    if (found !== HEAD) return `${found}self.meter.spend(errors >> 6);`;
    heads++;
    return `${found}self.meter.spend(1);`;
  });
  // ajv's version is pinned; one that generates other code must not run unmetered.
  if (heads !== 1) throw new Error("ajv generates other code than validator.ts knows how to meter");
  return paying;
}

function meteredPatterns(meter: Meter) {
  const engine = (source: string) => {
    const pattern = linearPattern(source);
    return {
      test(text: string): boolean {
        meter.spend((pattern.size * text.length) >> 6);
        return pattern.test(text);
      },
      toString: () => source, // ajv's key for reusing it
    };
  };
  // ajv takes only an engine that can be named in stand-alone code, which we never make.
  return Object.assign(engine, { code: "linearPattern" });
}

/** `$id` and `$schema` name the document; every reference in it is local, and ajv would look both up. */
function withoutIdentity(schema: Json): object | boolean {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return schema as boolean;
  const { $id, $schema, ...rest } = schema;
  return rest;
}

function areUnique(items: readonly unknown[]): boolean {
  const scalars = new Set<unknown>();
  const texts = new Set<unknown>();
  for (const item of items) {
    const isScalar = typeof item !== "object" || item === null;
    const seen = isScalar ? scalars : texts;
    const key = isScalar ? item : sortedText(item);
    if (seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}

/** JSON text with the names sorted: equal for values that JSON Schema calls equal. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
