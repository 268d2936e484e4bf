// The registry's tables, messages and faults. An action is a name, a protocol with its configuration, and an input and an output schema: data,
// which by itself runs nothing.

import {
  addressed,
  command,
  type FaultTable,
  nameSchema,
  type Principal,
  query,
  type Repeatable,
  type Table,
  table,
  token,
} from "@capstan/orchestrator";
import { z } from "zod";
import { addressFields } from "./destination.ts";
import { digestOf, schemaDigest } from "./digest.ts";
import { neighbour, reach } from "./elsewhere.ts";

/** What a protocol carries out, as it was registered: an action, or a receiver. */
export interface Task {
  readonly name: string;
  /** Counts from 1; grows with each update. */
  readonly revision: number;
  readonly protocol: string;
  /** The protocol's configuration. Secrets in it are references: `{ secret: "env:NAME" }`. */
  readonly configuration: unknown;
  /** Clauses that narrow the registrant's grant for messages that its code sends. */
  readonly may: readonly string[];
  /** The time limit of one run, in milliseconds. */
  readonly timeout: number;
  /** How many attempts it has, and the milliseconds before the second, doubling from then on. */
  readonly attempts: number;
  readonly backoff: number;
  /** JSONata expressions that transform the input for the protocol, and its output. */
  readonly transform?: Transform;
  readonly breaker?: Breaker;
  /** The digest of the code that runs, where the protocol has one. */
  readonly digest?: string;
  readonly registrant: Principal;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface Transform {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
}

/** After so many failures in a row it is not tried for `cooldown` milliseconds, and then once. */
export interface Breaker {
  readonly failures: number;
  readonly cooldown: number;
}

/** An action as it is registered. */
export interface ActionRow extends Task {
  /** JSON Schema 2020-12. */
  readonly input: unknown;
  readonly output: unknown;
  /** Running it twice is as good as once. */
  readonly idempotent: boolean;
  /** It changes nothing. */
  readonly readOnly: boolean;
}

/** What a protocol found out about a task before its registration: the fact `action.inspected`. */
export interface Inspected {
  readonly configuration?: unknown;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly idempotent?: boolean;
  readonly readOnly?: boolean;
  readonly may?: readonly string[];
  readonly timeout?: number;
  readonly digest?: string;
  /** Set for a receiver's code, which has no output. */
  readonly receives?: boolean;
}

export const INSPECTED = "action.inspected";

/** Its routes let other nodes perform an action and follow its topic. Two actions of one name count as the same where their schemas are equal. */
export const actionTable = table<ActionRow>("action", "logged", {
  routes: (name, row) => [
    [`action:${name}`, digestOf(row), ...repeatable(row)],
    [`topic:${topicOf(name)}`, schemaDigest(row.output)],
  ],
});

function repeatable({ idempotent, readOnly }: Pick<ActionRow, "idempotent" | "readOnly">): [] | [Repeatable] {
  if (readOnly) return ["read-only"];
  return idempotent ? ["idempotent"] : [];
}

/** The topic of an action's outputs. */
export function topicOf(action: string): string {
  return `action.${action}`;
}

/** The table of actions, for the plugins after the registry. */
export const actions = token<Table<ActionRow>>()("actions");

const DEFAULT_TIMEOUT_MS = 30_000;
const MOST_TIMEOUT_MS = 24 * 60 * 60 * 1000;

const clause = z.string().min(1).max(300);
const expression = z.string().min(1).max(10_000);

/** The fields of a registration, for actions and receivers alike. */
export const taskFields = {
  configuration: z.record(z.string(), z.unknown()).optional(),
  may: z.array(clause).max(100).optional(),
  timeout: z.number().int().min(1).max(MOST_TIMEOUT_MS).optional(),
  attempts: z.number().int().min(1).max(100).optional(),
  backoff: z.number().int().min(1).max(MOST_TIMEOUT_MS).optional(),
  transform: z.strictObject({ input: expression.optional(), output: expression.optional() }).optional(),
  breaker: z
    .strictObject({
      failures: z.number().int().min(1).max(1000),
      cooldown: z.number().int().min(1).max(MOST_TIMEOUT_MS),
    })
    .optional(),
};

/** The fields of an update: what is left out stays, and `null` removes. */
export const taskUpdates = {
  ...taskFields,
  transform: taskFields.transform.nullable(),
  breaker: taskFields.breaker.nullable(),
};

const described = {
  input: z.unknown().optional(),
  output: z.unknown().optional(),
  idempotent: z.boolean().optional(),
  readOnly: z.boolean().optional(),
};
const reference = { name: nameSchema, revision: z.number().int().positive().optional() };
const registered = z.object({ name: z.string(), revision: z.number(), input: z.unknown(), output: z.unknown() });
const target = ({ name }: { readonly name: string }): string => name;

const shownElsewhere = z
  .object({
    ...{ peer: z.string(), node: z.string(), path: z.array(z.string()), origin: z.string(), digest: z.string() },
    repeatable: z
      .enum(["idempotent", "read-only"])
      .optional()
      .describe("what its origin promises of performing it twice"),
  })
  .describe("the way to an action that is not here");

export const defaults = { timeout: DEFAULT_TIMEOUT_MS, attempts: 1, backoff: 1000 };

export const registryMessages = {
  action: {
    register: command({
      summary: "Register an action.",
      data: z.strictObject({
        name: nameSchema,
        protocol: z.string().min(1).max(64).default("module"),
        ...taskFields,
        ...described,
      }),
      result: registered,
      target,
    }),
    update: command({
      summary: "Replace an action by a new revision. What is not said stays; a module is read again.",
      data: z.strictObject({
        ...reference,
        protocol: z.string().min(1).max(64).optional(),
        ...taskUpdates,
        ...described,
      }),
      result: registered,
      target,
    }),
    remove: command({
      summary: "Remove an action. What runs goes on; what was accepted and has not begun fails.",
      data: z.strictObject(reference),
      result: z.object({ name: z.string(), revision: z.number() }),
      target,
    }),
    list: query({
      summary: "List actions.",
      data: z.strictObject({
        namespace: z.string().max(200).optional(),
        after: nameSchema.optional(),
        limit: z.number().int().min(1).max(1000).optional(),
      }),
      result: z.object({
        items: z.array(
          z.object({
            ...{ name: z.string(), revision: z.number().describe("0 where it is elsewhere"), protocol: z.string() },
            elsewhere: shownElsewhere.optional(),
          }),
        ),
        next: z.string().optional(),
      }),
    }),
    describe: addressed(
      query({
        summary: "Tell what an action takes, gives and publishes.",
        data: z.strictObject({ name: nameSchema, ...addressFields }),
        result: z.object({
          ...{ name: z.string(), revision: z.number().describe("0 where it is elsewhere") },
          ...{ input: z.unknown(), output: z.unknown(), elsewhere: shownElsewhere.optional() },
          untold: z.string().optional().describe("why what it takes and gives elsewhere is not known"),
        }),
        target,
      }),
    ),
    schemas: addressed(
      query({
        summary: "Tell what an action takes and gives, and nothing of how it is done: for peers that lead to it.",
        data: z.strictObject({ name: nameSchema, ...addressFields }),
        result: z.object({ name: z.string(), input: z.unknown(), output: z.unknown() }),
        target,
      }),
    ),
    reach,
    neighbour,
  },
};

/** The faults of the plugin registry. */
export const registryFaults = {
  ACTION_EXISTS: { status: 409, retryable: false, text: "There is an action of that name; use action.update." },
  ACTION_UNKNOWN: { status: 404, retryable: false, text: "There is no action of that name; the nearest one is named." },
  REVISION_CONFLICT: {
    status: 409,
    retryable: false,
    text: "The action has another revision than the one named; read it again.",
  },
  MAY_UNSAID: {
    status: 422,
    retryable: false,
    text: "What the code may ask for was said under another grant; say it anew, in `may`, for it to ask under yours.",
  },
  SCHEMAS_UNKNOWN: {
    status: 503,
    retryable: true,
    text: "What an action elsewhere takes and gives cannot be asked now, or is not what its origin signed; the text says which.",
  },
  SCHEMA_INVALID: {
    status: 422,
    retryable: false,
    text: "The JSON Schema is no schema, too large, too deep, or uses what cannot be checked in linear time; the text says where.",
  },
} as const satisfies FaultTable;
