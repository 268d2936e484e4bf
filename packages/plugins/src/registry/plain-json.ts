// A caller's value as our own plain JSON: copied within limits, so that nothing of it is shared, live or endless.

import { type Json, pointerOf } from "./json-pointer.ts";

export interface JsonLimits {
  readonly depth: number;
  readonly bytes: number;
}

/** Why a value is no plain JSON within the limits, and where (a JSON pointer). */
export interface NotPlain {
  readonly pointer: string;
  readonly why: string;
}

/** Copies a value; its text's size is counted on the way, so that a huge one is left early. */
export function plainJson(value: unknown, limits: JsonLimits): { json: Json; text: string } | NotPlain {
  let budget = limits.bytes;
  const refuse = (pointer: string, why: string): never => {
    throw { pointer, why } satisfies NotPlain;
  };
  const spend = (bytes: number): void => {
    budget -= bytes;
    if (budget < 0) refuse("", `is larger than ${limits.bytes} bytes`);
  };
  const copy = (part: unknown, pointer: string, depth: number): Json => {
    switch (typeof part) {
      case "string":
        spend(part.length + 2);
        return part;
      case "boolean":
        spend(4);
        return part;
      case "number":
        if (!Number.isFinite(part)) refuse(pointer, "is a number that JSON does not have");
        spend(1);
        return part;
      case "object":
        break;
      default:
        return refuse(pointer, `is a ${typeof part}, which JSON does not have`);
    }
    if (part === null) return null;
    if (depth >= limits.depth) refuse(pointer, `is nested deeper than ${limits.depth} levels`);
    spend(2);
    if (Array.isArray(part)) {
      spend(part.length);
      return Array.from(part, (item, index) => copy(item, `${pointer}/${index}`, depth + 1));
    }
    const prototype = Object.getPrototypeOf(part);
    if (prototype !== Object.prototype && prototype !== null) refuse(pointer, "is no plain object");
    const result: { [key: string]: Json } = {};
    for (const key of Object.keys(part)) {
      // Assigning it would set a prototype, and no validator treats it as a name like any other.
      if (key === "__proto__") refuse(pointer, 'has a key "__proto__", which is not allowed');
      const item = (part as Record<string, unknown>)[key];
      if (item === undefined) continue; // as JSON.stringify does
      spend(key.length + 3);
      result[key] = copy(item, pointerOf(pointer, key), depth + 1);
    }
    return result;
  };
  try {
    const json = copy(value, "", 0);
    const text = JSON.stringify(json);
    if (Buffer.byteLength(text) > limits.bytes) refuse("", `is larger than ${limits.bytes} bytes`);
    return { json, text };
  } catch (thrown) {
    if (thrown instanceof Error) return { pointer: "", why: "cannot be read" };
    return thrown as NotPlain;
  }
}
