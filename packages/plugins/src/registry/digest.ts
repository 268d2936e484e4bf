// The digest of an action's schemas, independent of the order of their keys: two nodes' actions of one name are the same where it is equal.

import { hash } from "node:crypto";

interface Schemas {
  readonly input: unknown;
  readonly output: unknown;
}

/** Rows are immutable, so that a digest is made once. */
const known = new WeakMap<Schemas, string>();

/** SHA-256 in base64url. */
export function digestOf(schemas: Schemas): string {
  let digest = known.get(schemas);
  if (digest === undefined) {
    const { input, output } = schemas;
    digest = hash("sha256", JSON.stringify({ input: sorted(input), output: sorted(output) }), "base64url");
    known.set(schemas, digest);
  }
  return digest;
}

/** The digest of one schema. */
export function schemaDigest(schema: unknown): string {
  return hash("sha256", JSON.stringify(sorted(schema)) ?? "", "base64url");
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, part]) => [key, sorted(part)] as const);
  // By code units: the same on every machine.
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
