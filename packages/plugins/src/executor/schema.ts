// What the executor keeps: executions, and who is still to be told of a cancelled one. A finished one leaves the table; it is in the log.

import { type FaultTable, type Repeatable, table } from "@capstan/orchestrator";
import { isReserved } from "../auth/schema.ts";
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

/** By id: `x-…`. Those of peers are counted by whose they are. */
export const executionTable = table<ExecutionRow>("execution", "logged", {
  countedBy: (_, { principal }) => (isReserved(principal) ? principal : undefined),
});
/**
 * By the execution's id; of later tries of it, while an earlier one's is there, by one made of the message that cancelled it. Counted by the
 * neighbour's node that it came from.
 */
export const recallTable = table<RecallRow>("recall", "logged", { countedBy: (_, { via }) => via?.at(-1) });

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
    text: "The action is elsewhere, and nobody who leads there, or who was addressed, can be asked now; the text names whom a session is missing with. Nothing was sent.",
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
