// Secrets in configurations are references, `{ secret: "env:NAME" }`. The secret itself is read when a task runs (secret-sources.ts), and is in no
// message, row or entry.

import type { Right } from "@capstan/orchestrator";
import { z } from "zod";

// No blanks and no control characters, because clauses of grants name references.
const REFERENCE = /^[a-z][a-z0-9-]{0,31}:[^\p{Cc}\p{Cf}\s]{1,500}$/u;

const HINT = 'must be a reference to a secret, such as { secret: "env:NAME" } or { secret: "file:/run/secrets/name" }';

/** The form of every reference. */
export const secretReference = z.strictObject({
  secret: z.string().regex(REFERENCE, HINT).brand<"secret reference">(),
});

export type SecretReference = z.output<typeof secretReference>;

/** A field that is either a value of the schema, or a reference to a secret that fits the schema. */
export function secretOr<Schema extends z.ZodType>(
  schema: Schema,
): z.ZodUnion<readonly [Schema, typeof secretReference]> {
  return z.union([schema, secretReference], {
    error: (issue) => {
      const ofReference = typeof issue.input === "object" && issue.input !== null && "secret" in issue.input;
      const problem = (issue as unknown as { errors?: { message: string }[][] }).errors?.[0]?.[0]?.message;
      return ofReference || problem === undefined ? HINT : `${problem}; or ${HINT}`;
    },
  });
}

/** How many parses of configurations with secrets put in are under way (they nest, because parsing is synchronous). */
let put = 0;

/** A field that must be a reference to a secret that fits the schema: a value written out would stay in the log for ever. */
export function secret<Schema extends z.ZodType>(
  schema: Schema,
): z.ZodUnion<readonly [Schema, typeof secretReference]> {
  const one = secretOr(schema.refine(() => put > 0, HINT) as Schema);
  references.add(one);
  return one;
}

const references = new WeakSet<object>();

/** The JSON Schema of a configuration, for registrants. */
export function configurationSchema(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      if (!references.has(zodSchema)) return;
      const [, reference] = jsonSchema.anyOf ?? [];
      delete jsonSchema.anyOf;
      Object.assign(jsonSchema, reference);
    },
  });
}

/** Runs `parse` on a configuration in which secrets stand in place of their references. */
export function withSecretsPut<T>(parse: () => T): T {
  put++;
  try {
    return parse();
  } finally {
    put--;
  }
}

/** The type of a configuration with its secrets put in. */
export type Resolved<T> = [z.core.util.JSONType] extends [T] ? T : ResolvedEach<T>;

type ResolvedEach<T> = T extends SecretReference
  ? never
  : T extends object
    ? { [Key in keyof T]: Resolved<T[Key]> }
    : T;

/** The references in a configuration, each once. Everything of the form of a reference counts, wherever it stands. */
export function referencesIn(configuration: unknown): readonly string[] {
  const found = new Set<string>();
  walk(configuration, (reference) => {
    found.add(reference);
    return undefined;
  });
  return [...found];
}

/** The configuration with the result of `secretOf` in place of each reference. */
export function withSecrets(configuration: unknown, secretOf: (reference: string) => string): unknown {
  return walk(configuration, secretOf);
}

/** The right that a grant must cover for a reference to be used. */
export function rightOf(reference: string): Right {
  return { resource: "secret", verb: "use", name: reference };
}

function walk(value: unknown, each: (reference: string) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => walk(one, each));
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === "secret" && typeof only[1] === "string") return each(only[1]);
  return Object.fromEntries(entries.map(([key, one]) => [key, walk(one, each)]));
}
