// `{"$from": "a.output.text"}`: what an earlier line of a batch will have answered. The promise of that answer stands in
// its place, and the server fills it in: the dependent call travels in the same round trip.

import { RpcPromise } from "capnweb";

/** The one key that makes an object a reference. */
const FROM = "$from";

export interface Reference {
  /** The line's name, and the fields to follow in what it answers. */
  readonly name: string;
  readonly fields: readonly string[];
}

/** The references in a line's data. Objects with other keys beside `$from` are data. */
export function referencesIn(data: unknown, found: Reference[] = []): Reference[] {
  if (typeof data !== "object" || data === null) return found;
  const reference = referenceOf(data);
  if (reference !== undefined) found.push(reference);
  else for (const part of Object.values(data)) referencesIn(part, found);
  return found;
}

/** Why a reference cannot be followed; `undefined` where it can. */
export function referenceProblem({ name, fields }: Reference): string | undefined {
  const text = [name, ...fields].join(".");
  if (name === "" || fields.includes("")) return `"${text}" is no reference; write a name, and fields after dots`;
  for (const field of fields) {
    // capnweb gives such a name its own meaning on a promise, or follows it only in objects.
    if (field in RpcPromise.prototype) return `"${text}": a field called "${field}" cannot be referred to`;
    if (/^\d+$/.test(field)) return `"${text}": an element of a list cannot be referred to, only fields`;
  }
  return undefined;
}

/** The data with promises in the places of references. */
export function withPromises(data: unknown, promises: ReadonlyMap<string, unknown>): unknown {
  if (typeof data !== "object" || data === null) return data;
  const reference = referenceOf(data);
  if (reference !== undefined) {
    const follow = (value: unknown, field: string): unknown => (value as Readonly<Record<string, unknown>>)[field];
    return reference.fields.reduce(follow, promises.get(reference.name));
  }
  if (Array.isArray(data)) return data.map((part) => withPromises(part, promises));
  const copy: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(data)) {
    // Assigning would set the prototype; the server says that it takes no such name.
    Object.defineProperty(copy, name, {
      value: withPromises(part, promises),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}

function referenceOf(value: object): Reference | undefined {
  const keys = Object.keys(value);
  if (keys.length !== 1 || keys[0] !== FROM || Array.isArray(value)) return undefined;
  const path = (value as { readonly [FROM]: unknown })[FROM];
  if (typeof path !== "string") return undefined;
  const [name = "", ...fields] = path.split(".");
  return { name, fields };
}
