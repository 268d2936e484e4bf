// A walk over a schema's own places (not the values inside `const`, `enum`, `default`), to refuse what a caller may not
// register. It trusts no shape: the meta-schema is checked apart. It compiles patterns and nothing else.

import { type Json, pointerOf } from "./json-pointer.ts";
import { linearPattern, PATTERN_BUDGET, patternCost } from "./pattern.ts";
import { quote } from "./quote.ts";

/** What a schema may not be, where, and what to do about it. */
export interface SchemaFlaw {
  readonly pointer: string;
  readonly why: string;
}

export const DRAFT = "https://json-schema.org/draft/2020-12/schema";
/** Keywords of one schema: compiling costs 20–50 µs each, on the thread that decides. */
export const MOST_KEYWORDS = 1_000;

type SchemaObject = { [key: string]: Json };

// Draft 2020-12 core §9–11 (and the older `definitions` and `dependencies`, which it keeps for compatibility): which
// keywords hold a schema, a map of schemas, a list of them.
const ONE = [
  "additionalProperties",
  "contains",
  "contentSchema",
  "items",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
];
const ONE_IN_PLACE = ["else", "if", "not", "then"];
const MAP = ["$defs", "definitions", "patternProperties", "properties"];
const MAP_IN_PLACE = ["dependencies", "dependentSchemas"];
const LIST = ["prefixItems"];
const LIST_IN_PLACE = ["allOf", "anyOf", "oneOf"];

/** The first flaw of a schema, or `undefined`. `root` is plain JSON (plain-json.ts). */
export function schemaFlaw(root: Json): SchemaFlaw | undefined {
  const walk = new SchemaWalk();
  try {
    walk.visit(root, "");
    walk.resolveReferences();
    walk.refuseEndlessReferences();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Flaw) return { pointer: thrown.pointer, why: thrown.message };
    throw thrown;
  }
}

/** Only how a flaw leaves the walk's recursion. */
class Flaw extends Error {
  readonly pointer: string;
  constructor(pointer: string, why: string) {
    super(why);
    this.pointer = pointer;
  }
}

class SchemaWalk {
  #keywords = 0;
  #patternCost = 0;
  readonly #anchors = new Map<string, string>();
  readonly #references: { at: string; keyword: string; target: string }[] = [];
  /** Place → the places whose schemas apply to the same value. */
  readonly #inPlace = new Map<string, string[]>();

  visit(schema: Json | undefined, at: string): void {
    if (typeof schema === "boolean") {
      this.#inPlace.set(at, []);
      return;
    }
    if (!isObject(schema)) return;
    this.#inPlace.set(at, []);
    this.#keywords += Object.keys(schema).length;
    if (this.#keywords > MOST_KEYWORDS)
      throw new Flaw("", `has more than ${MOST_KEYWORDS} keywords; split it or describe less`);
    this.#refuseForeign(schema, at);
    this.#patterns(schema, at);
    this.#note(schema, at);
    for (const keyword of ONE) this.visit(schema[keyword], `${at}/${keyword}`);
    for (const keyword of ONE_IN_PLACE) this.#visitInPlace(schema[keyword], at, `${at}/${keyword}`);
    for (const keyword of [...MAP, ...LIST]) {
      for (const [key, part] of entries(schema[keyword])) this.visit(part, pointerOf(at, keyword, key));
    }
    for (const keyword of [...MAP_IN_PLACE, ...LIST_IN_PLACE]) {
      for (const [key, part] of entries(schema[keyword])) this.#visitInPlace(part, at, pointerOf(at, keyword, key));
    }
  }

  #visitInPlace(schema: Json | undefined, from: string, at: string): void {
    if (isObject(schema)) this.#inPlace.get(from)?.push(at);
    this.visit(schema, at);
  }

  #refuseForeign(schema: SchemaObject, at: string): void {
    const { $schema, $id, $async } = schema;
    if ($schema !== undefined && $schema !== DRAFT && $schema !== `${DRAFT}#`) {
      throw new Flaw(`${at}/$schema`, `is another draft; write it for ${DRAFT}, or leave $schema out`);
    }
    // A nested $id starts a document of its own, which `#` would then mean.
    if ($id !== undefined && at !== "") throw new Flaw(`${at}/$id`, "is only allowed at the top; use $anchor or $defs");
    // ajv's own: the validator would answer with a promise, which is always true.
    if ($async !== undefined) throw new Flaw(`${at}/$async`, "is not part of draft 2020-12; remove it");
  }

  #patterns(schema: SchemaObject, at: string): void {
    const sources: [string, string][] = [];
    if (typeof schema.pattern === "string") sources.push([schema.pattern, `${at}/pattern`]);
    for (const [source] of entries(schema.patternProperties))
      sources.push([source, pointerOf(at, "patternProperties", source)]);
    for (const [source, place] of sources) {
      this.#patternCost += patternCost(source);
      if (this.#patternCost > PATTERN_BUDGET) {
        throw new Flaw(
          place,
          `makes the schema's patterns too large: over ${PATTERN_BUDGET} atoms written out; shorten its repetitions`,
        );
      }
      try {
        linearPattern(source);
      } catch (error) {
        throw new Flaw(
          place,
          `does not compile: ${(error as Error).message}; patterns are RE2's: no lookaround, no back-references`,
        );
      }
    }
  }

  #note(schema: SchemaObject, at: string): void {
    for (const keyword of ["$anchor", "$dynamicAnchor"]) {
      const anchor = schema[keyword];
      if (typeof anchor !== "string") continue;
      // ajv looks a dynamic anchor up in a plain object, where `constructor` is a function that accepts everything.
      if (anchor in Object.prototype)
        throw new Flaw(`${at}/${keyword}`, `may not be ${quote(anchor)}; choose another name`);
      if (this.#anchors.has(anchor)) throw new Flaw(`${at}/${keyword}`, `${quote(anchor)} is there twice`);
      this.#anchors.set(anchor, at);
    }
    for (const keyword of ["$ref", "$dynamicRef"]) {
      const target = schema[keyword];
      if (typeof target === "string") this.#references.push({ at, keyword, target });
    }
  }

  /** Every reference must lead to a place that was visited: nothing unchecked is compiled, nothing is fetched. */
  resolveReferences(): void {
    for (const { at, keyword, target } of this.#references) {
      const place = `${at}/${keyword}`;
      if (!target.startsWith("#"))
        throw new Flaw(place, `${quote(target)} is not local; copy what it means under $defs and use "#/$defs/…"`);
      const fragment = fragmentOf(target);
      const resolved = fragment === "" || fragment?.startsWith("/") ? fragment : this.#anchors.get(fragment ?? "");
      if (resolved === undefined || !this.#inPlace.has(resolved)) {
        throw new Flaw(place, `${quote(target)} names no schema in here; put it under $defs`);
      }
      this.#inPlace.get(at)?.push(resolved);
    }
  }

  /** Recursion is fine where it goes into the value; a schema that applies to itself at once would never end. */
  refuseEndlessReferences(): void {
    const state = new Map<string, "open" | "done">();
    const follow = (at: string): void => {
      if (state.get(at) === "done") return;
      if (state.get(at) === "open")
        throw new Flaw(at, "refers to itself without going into a property or item; it would never end");
      state.set(at, "open");
      for (const next of this.#inPlace.get(at) ?? []) follow(next);
      state.set(at, "done");
    };
    for (const at of this.#inPlace.keys()) follow(at);
  }
}

function fragmentOf(reference: string): string | undefined {
  try {
    return decodeURIComponent(reference.slice(1)); // RFC 6901 §6
  } catch {
    return undefined;
  }
}

function isObject(value: Json | undefined): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function entries(value: Json | undefined): [string, Json][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
