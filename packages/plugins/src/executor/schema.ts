// What the executor keeps and can be asked: executions. A finished one leaves the table; it is in the log.

import { addressed, command, type FaultTable, nameSchema, query, type Repeatable, table } from "@capstan/orchestrator";
import { z } from "zod";
import { addressFields } from "../registry/destination.ts";
import type { Address } from "../registry/elsewhere.ts";

/** An execution that is not finished. */
export interface ExecutionRow {
  readonly action: string;
  readonly revision: number;
  /** The message that asked for it. */
  readonly message: string;
  readonly principal: string;
  /** `ambiguous`: its node died, and nobody can know whether it ran. */
  readonly state: "running" | "ambiguous";
  /** Counted from 1; a retry counts anew. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Milliseconds since the epoch, after which no attempt is of use. */
  readonly deadline?: number;
  /** What makes a dead letter of it once it is spent; it becomes none without. */
  readonly ifSpent?: IfSpent;
  /** `only`: its caller is not told the output. `none`: nobody else is. Absent: both are. */
  readonly publication?: Publication;
  /** Messages that wait for its end besides the first: the retry that owes it now. */
  readonly waiting?: readonly string[];
  /** Retries that wait with it, which nobody owes: it was being asked again already. */
  readonly joined?: readonly string[];
  /** What the first was asked, where a retry owes it. */
  readonly input?: unknown;
  /** Set where its action is not here. */
  readonly elsewhere?: Asked;
  /** There was an alert: what became of it may never be known by itself. */
  readonly alerted?: true;
  /** It is done here for a request of another node's: what becomes of it is told as the execution's (`OF_EXECUTION`). */
  readonly requested?: true;
}

/** What is asked of others, and how to ask it again. */
export interface Asked {
  /** Who carries it there: a key of `Elsewhere.carriers`. */
  readonly by: string;
  /** The nodes that it came through. */
  readonly via?: readonly string[];
  /** Default: the id of the message that asked for it. */
  readonly key?: string;
  /** The request's id, the same on every way: from whoever asked us, or made here. */
  readonly request?: string;
  /** The neighbour that was asked by that key last, if one was. Another may be once `execution.ask` has said so here. */
  readonly to?: string;
  /** Others that were asked before, and of which nobody knows whether they still see to it. */
  readonly open?: readonly string[];
  /** The node that it was asked for; absent: whoever does it. */
  readonly origin?: string;
  /** No other may do it: whoever asked us says so. */
  readonly only?: boolean;
  /** What was promised of doing it twice where it was asked, and of which schemas. */
  readonly repeatable?: Repeatable;
  readonly digest?: string;
  readonly address?: Address;
  /** Milliseconds since the epoch, until when it may be asked of others by the same request. */
  readonly until?: number;
  /** What became of it is not known: it is asked again, of the same one and by the same key. */
  readonly again?: true;
  /** All that were asked have given it up: by itself nobody is asked any more. */
  readonly givenUp?: true;
}

/** What was cancelled here, and whoever was asked for it is still to be told. */
export interface RecallRow extends Pick<Asked, "by" | "via" | "request"> {
  readonly action: string;
  /** Whose try it was, where its own row is an earlier one's. */
  readonly execution?: string;
  /** The key that it was asked by. */
  readonly under: string;
  /** The neighbours that may still see to it. */
  readonly nodes: readonly string[];
  /** Milliseconds since the epoch: later nothing of it runs. */
  readonly until: number;
  readonly correlation?: string;
  readonly traceparent?: string;
}

export type Publication = "only" | "none";

/** Known when it was accepted: its action may be another by the time that it fails. */
export interface IfSpent {
  /** How often it is tried. */
  readonly attempts: number;
  /** Of the first message. */
  readonly grant: string;
  /** The dead letter that it was before. */
  readonly earlier?: string;
}

/** By id: `x-…`. */
export const executionTable = table<ExecutionRow>("execution");
/** By the execution's id; of later tries of it, while an earlier one's is there, by one made of the message that cancelled it. */
export const recallTable = table<RecallRow>("recall");

/** The detail of a fault that tells what became of an execution, and which: a refusal has none, and was no execution. */
export const OF_EXECUTION = "execution";

export const INVOKE = "invoke";
/** What a finished execution was asked, for those that are tried again: a fact. */
export const ORIGINAL = "execution.original";

/** The executions that were performed under a key, and for a request: facts. */
export const RECALLED = "execution.recalled";
export const REQUESTED = "execution.requested";
export interface Original {
  readonly name: string;
  readonly at?: string;
  readonly origin?: string;
  readonly input: unknown;
  /** It was another node's request. */
  readonly requested?: true;
  readonly message: string;
  readonly principal: string;
  readonly grant: string;
  readonly state: "running" | "ambiguous" | "failed" | "done";
  readonly publication?: Publication;
  /** The entry by which it ended, or was lost. */
  readonly ended?: number;
}

const executionId = z.string().regex(/^x-[0-9A-HJKMNP-TV-Z]{16}$/, "must be an execution's id, like x-01J8…");
const reference = z.strictObject({ id: executionId });
/** Whoever performed what is held was told of the message alone. */
const executionOrMessageId = z
  .string()
  .regex(/^[xm]-[0-9A-HJKMNP-TV-Z]{16}$/, "must be an execution's id, like x-01J8…, or its message's, m-01J8…");
/** Neighbours. */
const nodes = z.array(z.string()).max(10_000);
const protocolName = z.string().min(1).max(64);
const byId = { about: "id" as const, target: ({ id }: { readonly id: string }): string => id };

export const performed = z.object({
  execution: z.string(),
  output: z.unknown().optional(),
  via: z.string().optional().describe("the peer that answered, where the action is not here"),
  pending: z.boolean().optional(),
});

const shownFault = z.object({
  ...{ code: z.string(), message: z.string() },
  ...{ details: z.unknown().optional(), id: z.string().optional() },
});
const shownExecution = z.object({
  ...{ id: z.string(), action: z.string(), state: z.enum(["running", "ambiguous", "done", "failed"]) },
  ...{ principal: z.string(), at: z.number(), message: z.string() },
  entries: z.array(z.number()).describe("those that accepted it and settled it"),
  ...{ attempt: z.number().optional(), output: z.unknown().optional(), error: shownFault.optional() },
  untold: z
    .array(z.string())
    .optional()
    .describe("nodes that may still see to what was cancelled, and are told as soon as they can be"),
});

export const executorMessages = {
  action: {
    perform: addressed(
      command({
        summary: "Perform an action, and wait for its output.",
        data: z.strictObject({
          name: nameSchema,
          input: z.unknown().optional(),
          // Who gets the output: the caller and the subscribers, the subscribers only, or the caller only.
          publication: z.enum(["with", "only", "none"]).optional(),
          ...addressFields,
        }),
        result: performed,
        target: ({ name }) => name,
      }),
    ),
    recall: command({
      summary: "Cancel what was performed under a key, if it still runs or is held. Whoever performed it may.",
      data: z.strictObject({
        name: nameSchema,
        under: z.string().min(1).max(200).describe("the key"),
        request: z.string().length(22).optional().describe("(peers) what it was asked for, by whichever way it came"),
      }),
      result: z.object({ recalled: z.boolean() }),
      target: ({ name }) => name,
    }),
  },
  execution: {
    list: query({
      summary: "List executions, newest first.",
      data: z.strictObject({
        action: nameSchema.optional(),
        state: z.enum(["running", "ambiguous", "done", "failed"]).optional(),
        // An execution's id, or a page's `next`.
        before: executionId.optional(),
        limit: z.number().int().min(1).max(1000).optional(),
      }),
      result: z.object({ items: z.array(shownExecution), next: z.string().optional() }),
    }),
    show: query({ summary: "Show an execution, with its entries.", data: reference, result: shownExecution, ...byId }),
    cancel: command({
      summary:
        "Cancel an execution that is running, or that a peer may still be running; or end the hold of a performing, or of a retry.",
      data: z.strictObject({ id: executionOrMessageId }),
      result: performed,
      ...byId,
    }),
    retry: command({
      summary: "Try an execution again that failed, or of which nobody knows whether it ran.",
      data: reference,
      result: performed,
      ...byId,
    }),
    abandon: command({
      summary: "Give up an execution of which nobody knows whether it ran.",
      data: reference,
      result: z.object({ execution: z.string() }),
      ...byId,
    }),
    ask: command({
      internal: true,
      summary: "An execution is about to be asked of another neighbour than it was decided for.",
      data: z.strictObject({
        ...{ execution: executionId, effect: z.string(), to: z.string() },
        ...{ origin: z.string().optional(), repeatable: z.enum(["idempotent", "read-only"]).optional() },
        digest: z.string().optional(),
        ...{ open: nodes.optional(), key: z.string().optional() },
      }),
      result: z.unknown(),
    }),
    recalled: command({
      internal: true,
      summary: "A neighbour that was asked for what was cancelled was told; or it is too late to tell anybody.",
      data: z.strictObject({ execution: executionId, node: z.string().optional() }),
      result: z.unknown(),
    }),
    again: command({
      internal: true,
      summary: "What became of an execution elsewhere is not known, and is asked again.",
      data: z.strictObject({ execution: executionId }),
      result: z.unknown(),
    }),
    unresolved: command({
      internal: true,
      summary: "Nobody has been able to say what became of executions elsewhere, and somebody should look at that.",
      data: z.strictObject({
        executions: z.array(executionId).min(1).max(1000),
        about: z.string().min(1).max(200),
        text: z.string().max(1000),
      }),
      result: z.unknown(),
    }),
    complete: command({
      internal: true,
      summary: "An execution ended with an output.",
      data: z.strictObject({ execution: executionId, output: z.unknown().optional(), via: z.string().optional() }),
      result: z.unknown(),
    }),
    fail: command({
      internal: true,
      summary: "An execution ended with a fault.",
      data: z.strictObject({
        execution: executionId,
        error: shownFault,
        retryable: z.boolean(),
        // Whose fault it was, where that is not in its details; and which message of theirs.
        peer: z.strictObject({ name: z.string(), node: z.string(), id: z.string().optional() }).optional(),
      }),
      result: z.unknown(),
    }),
    lose: command({
      internal: true,
      summary: "Nobody can know whether an execution ran: its node died, or the way to where it was asked broke.",
      data: z.strictObject({ execution: executionId, error: shownFault.optional(), open: nodes.optional() }),
      result: z.unknown(),
    }),
  },
  // They tell of what the node is made of, and are about no name in a namespace.
  protocol: {
    list: query({
      summary: "List the protocols that actions and receivers can be registered with.",
      data: z.strictObject({}),
      result: z.object({ items: z.array(z.object({ name: z.string(), summary: z.string().optional() })) }),
    }),
    describe: query({
      summary: "Tell what a protocol is configured with, as a JSON Schema.",
      data: z.strictObject({ name: protocolName }),
      result: z.object({ name: z.string(), summary: z.string().optional(), configuration: z.unknown() }),
      target: ({ name }) => name,
      about: "id",
    }),
    test: query({
      summary: "Check a configuration, and whether the outside system answers; nothing is registered.",
      data: z.strictObject({ protocol: protocolName, configuration: z.record(z.string(), z.unknown()).optional() }),
      result: z.object({ ok: z.literal(true), connected: z.boolean() }),
      target: ({ protocol }) => protocol,
      about: "id",
    }),
  },
};

/** The faults of the executor. */
export const executorFaults = {
  INPUT_INVALID: {
    status: 422,
    retryable: false,
    text: "The input does not fit the action's schema; `details` lists path and problem.",
  },
  OUTPUT_INVALID: {
    status: 502,
    retryable: false,
    text: "The action gave an output that does not fit its own schema.",
  },
  OUTPUT_TOO_LARGE: {
    status: 502,
    retryable: false,
    text: "The action gave an output of more than the log takes in one entry.",
  },
  PROTOCOL_UNKNOWN: {
    status: 422,
    retryable: false,
    text: "No protocol of that name is configured; the nearest one is named.",
  },
  CONFIG_INVALID: {
    status: 422,
    retryable: false,
    text: "The action's configuration does not fit its protocol; the text says where.",
  },
  ACTION_FAILED: {
    status: 502,
    retryable: true,
    text: "The action's code threw; the text is its own. Try again only where the action is idempotent.",
  },
  ACTION_CHANGED: {
    status: 409,
    retryable: true,
    text: "The action was updated or removed before it ran; perform it again.",
  },
  EXECUTION_UNKNOWN: { status: 404, retryable: false, text: "There is no execution of that id that is open to this." },
  EXECUTION_AMBIGUOUS: {
    status: 409,
    retryable: false,
    text: "Its node died, or the session with the peer that was asked, while it may have been running, and nobody else could know. It is listed; a peer is asked again by itself, and execution.retry or abandon ends it.",
  },
  ACTION_UNREACHABLE: {
    status: 503,
    retryable: true,
    text: "The action is elsewhere, and nobody who leads there, or who was addressed, can be asked now. Nothing was sent.",
  },
  EXECUTION_ABANDONED: { status: 409, retryable: false, text: "Nobody knows whether it ran, and it was given up." },
  CIRCUIT_OPEN: {
    status: 503,
    retryable: true,
    text: "It failed too often in a row, and is left alone for its breaker's `cooldown`; the text says for how long.",
  },
  TRANSFORM_FAILED: {
    status: 422,
    retryable: false,
    text: "A transform of its input or output failed, took too long, or gave too much; the text says which, and where.",
  },
  SECRET_UNKNOWN: {
    status: 422,
    retryable: false,
    text: "A configuration refers to a secret that is not there, cannot be read, or is shorter than 6 characters.",
  },
  SECRET_UNAVAILABLE: {
    status: 503,
    retryable: true,
    text: "The source of a secret that a configuration refers to did not give it.",
  },
  MODULE_NOT_FOUND: { status: 422, retryable: false, text: "There is no such file under the `modules` directories." },
  MODULE_OUTSIDE: {
    status: 403,
    retryable: false,
    text: "The file, or one that it imports, lies outside the `modules` directories.",
  },
  MODULE_INVALID: {
    status: 422,
    retryable: false,
    text: "The module does not build, throws when it is loaded, or its default export is no action.",
  },
  MODULE_CHANGED: {
    status: 409,
    retryable: false,
    text: "The module's source is not what was registered; use action.update.",
  },
} as const satisfies FaultTable;
