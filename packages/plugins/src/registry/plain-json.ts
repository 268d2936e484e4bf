// A caller's value as our own plain JSON: copied within limits, so that nothing of it is shared, live or endless.

import { type Json, pointerOf } from "./json-pointer.ts";

/** The size of its text: in bytes of UTF-8, or in UTF-16 code units, as frames and outputs are measured. */
export type JsonLimits = { readonly depth: number } & ({ readonly bytes: number } | { readonly characters: number });

/** Why a value is no plain JSON within the limits, and where (a JSON pointer). */
export interface NotPlain {
  readonly pointer: string;
  readonly why: string;
}

/** Copies a value; its text's size is counted on the way, so that a huge one is left early. */
export function plainJson(value: unknown, limits: JsonLimits): { json: Json; text: string } | NotPlain {
  const most = "bytes" in limits ? limits.bytes : limits.characters;
  let budget = most;
  // Where it is. As one array, since most are asked for no pointer: there may be millions of parts.
  const path: (string | number)[] = [];
  const refuse = (why: string): never => {
    throw { pointer: pointerOf("", ...path), why } satisfies NotPlain;
  };
  const spend = (characters: number): void => {
    budget -= characters;
    if (budget < 0) throw tooLarge(limits);
  };
  const copy = (part: unknown): Json => {
    switch (typeof part) {
      case "string":
        spend(part.length + 2);
        return part;
      case "boolean":
        spend(4);
        return part;
      case "number":
        if (!Number.isFinite(part)) refuse("is a number that JSON does not have");
        spend(1);
        return part;
      case "object":
        break;
      default:
        return refuse(`is a ${typeof part}, which JSON does not have`);
    }
    if (part === null) return null;
    const depth = path.length;
    if (depth >= limits.depth) refuse(`is nested deeper than ${limits.depth} levels`);
    spend(2);
    if (Array.isArray(part)) {
      spend(part.length);
      const items: Json[] = [];
      for (let index = 0; index < part.length; index++) {
        path[depth] = index;
        items.push(copy(part[index]));
      }
      path.length = depth;
      return items;
    }
    const prototype = Object.getPrototypeOf(part);
    if (prototype !== Object.prototype && prototype !== null) refuse("is no plain object");
    const result: { [key: string]: Json } = {};
    for (const key of Object.keys(part)) {
      // Assigning it would set a prototype, and no validator treats it as a name like any other.
      if (key === "__proto__") refuse('has a key "__proto__", which is not allowed');
      const item = (part as Record<string, unknown>)[key];
      if (item === undefined) continue; // as JSON.stringify does
      spend(key.length + 3);
      path[depth] = key;
      result[key] = copy(item);
      // The next key is of this object, and not in what the last one held.
      path.length = depth;
    }
    return result;
  };
  try {
    const json = copy(value);
    const text = JSON.stringify(json);
    const size = "bytes" in limits ? Buffer.byteLength(text) : text.length;
    return size > most ? tooLarge(limits) : { json, text };
  } catch (thrown) {
    if (thrown instanceof Error) return { pointer: "", why: "cannot be read" };
    return thrown as NotPlain;
  }
}

function tooLarge(limits: JsonLimits): NotPlain {
  const most = "bytes" in limits ? `${limits.bytes} bytes` : `${limits.characters} characters`;
  return { pointer: "", why: `is larger than ${most}` };
}
