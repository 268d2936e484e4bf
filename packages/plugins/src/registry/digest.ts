// By what two actions of one name are told to be the same thing: what they take and give, whatever order their schemas' keys stand in.

import { hash } from "node:crypto";

interface Schemas {
  readonly input: unknown;
  readonly output: unknown;
}

/** A row is immutable: its digest is made once. */
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

/** Of one schema alone. */
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
