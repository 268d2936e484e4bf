// What a plugin's `decide` answers, and the four ways to make it.

import { type Fault, fault } from "../fault/fault.ts";
import type { Erasure, RowChange } from "../log/log.ts";
import type { Message, Principal } from "../message/message.ts";
import type { State } from "../state/state.ts";
import type { Token, TokenValues } from "./token.ts";

/** Work that a committed message owes the outside world. The kernel adds owner, epoch and the owing message. */
export interface Effect {
  /** A key of the plugin's `effects`. */
  readonly kind: string;
  /** What the handler needs besides the owing message, which it is given. Keep it small: it is stored as a row. */
  readonly data: unknown;
  /** Safe to run twice: it may start before its entry is durable, and is run again after a crash. */
  readonly replayable?: boolean;
  /** 1 for the first try. */
  readonly attempt?: number;
  /** Milliseconds since the epoch before which it must not start. */
  readonly notBefore?: number | undefined;
  /** Milliseconds since the epoch by which it must have ended. */
  readonly deadline?: number | undefined;
  /** Id of the message that owes it; default the one being decided. A retry names the first. */
  readonly message?: string;
  /** For `explain`: the entry that ended the try before this one, where another message had owed that try. */
  readonly after?: number | undefined;
  /** The effect's id, by which `cancels` names it; never used again. Default: made from the message's id. */
  readonly id?: string;
}

/** A message that is decided next, in the same commit. */
export interface FollowUp {
  readonly message: Message;
  /** On whose behalf; default the node itself, for internal messages. */
  readonly as?: Principal;
}

/** The outcome of a message that was answered `pending`: its callers' promises resolve or reject with it. */
export interface Settled {
  readonly id: string;
  /** Default: the settling message's own data. */
  readonly data?: unknown;
  readonly error?: Fault;
}

/** What a held message waits for. */
export interface Hold {
  /** What is waited for, such as `approval`. A message can wait for each name once. */
  readonly name: string;
  /** What the one who settles it should know. */
  readonly details?: unknown;
}

/** What the kernel's own messages do to the log itself (compaction, redaction). Refused from any other plugin. */
export interface LogWork {
  /** The entry repeats every row of every logged table, so that the entries before it are no longer needed for the state. */
  readonly restates?: true;
  /** Further rows that the entry writes or repeats: of tables that are kept on disk only. */
  readonly rows?: readonly RowChange[];
  /** Parts of earlier entries that it erases. */
  readonly erases?: readonly Erasure[];
  /** Ids of messages whose answers are dropped from memory, because they were erased from the log. */
  readonly forgets?: readonly string[];
}

interface Passed {
  readonly data?: unknown;
  readonly state?: State | undefined;
  readonly effects?: readonly Effect[] | undefined;
  readonly then?: readonly FollowUp[] | undefined;
  /** The caller waits for a later message that settles this one. */
  readonly pending?: true | undefined;
  /** What of it is held is held no more. */
  readonly settles?: readonly Settled[] | undefined;
  /** Ids of effects that are no longer owed; those that run are aborted. */
  readonly cancels?: readonly string[] | undefined;
  readonly log?: LogWork | undefined;
  /** Done once for its request (`ForwardedOptions.request`): a copy of the request that comes by another path joins this message. */
  readonly once?: true | undefined;
  /** The topic that the message's data is published under once it is durable. Subscriptions read it from the log. */
  readonly publishes?: string | undefined;
  /** Why, for `explain`: the clause of a grant, a rule, a limit. */
  readonly clause?: string | undefined;
}

// An array of unknown length stands for any plugin; only a tuple says which values are required.
type Added<Adds extends readonly Token[]> = number extends Adds["length"]
  ? { readonly adds?: TokenValues<Adds> }
  : [Adds[number]] extends [never]
    ? { readonly adds?: TokenValues<Adds> }
    : { readonly adds: TokenValues<Adds> };

/** `next`: the plugins after this one go on. `done`: they do not. */
export type PassedResult<Adds extends readonly Token[]> = { readonly kind: "next" | "done" } & Passed & Added<Adds>;

export type RefusedResult = { readonly kind: "refused"; readonly error: Fault; readonly clause?: string };

export type HoldResult = { readonly kind: "hold"; readonly hold: Hold; readonly clause?: string };

/** What `decide` answers; made with `next`, `done`, `hold` or `refuse`. */
export type PluginResult<Adds extends readonly Token[] = []> = PassedResult<Adds> | RefusedResult | HoldResult;

type PassedOptions = Passed & { readonly adds?: Readonly<Record<string, unknown>> };

/** A plain `next`, shared: most answers of plugins are this one. */
export const NEXT = Object.freeze({ kind: "next" as const });

/** Let the plugins after this one go on. */
export function next(): { readonly kind: "next" };
export function next<const Options extends PassedOptions>(options: Options): { readonly kind: "next" } & Options;
export function next(options?: PassedOptions) {
  return options === undefined ? NEXT : passed("next", options);
}

/** Copied field by field: a spread takes ten times as long, and every message makes several results. */
function passed<Kind extends "next" | "done">(kind: Kind, options: PassedOptions) {
  const { data, state, effects, then, pending, settles, cancels, log, once, publishes, clause, adds } = options;
  return { kind, data, state, effects, then, pending, settles, cancels, log, once, publishes, clause, adds };
}

/** Stop with success: the plugins after this one are not asked. */
export function done<const Options extends PassedOptions>(options: Options): { readonly kind: "done" } & Options {
  return passed("done", options) as unknown as { readonly kind: "done" } & Options;
}

/** Wait for an outcome (an approval, an outside check), then decide again from the first plugin. */
export function hold(name: string, details?: unknown, clause?: string): HoldResult {
  return { kind: "hold", hold: { name, ...(details === undefined ? {} : { details }) }, ...(clause ? { clause } : {}) };
}

/** Stop; nothing is changed. `message` says what was refused, why, and what to do. */
export function refuse(
  code: string,
  message: string,
  options: { readonly details?: unknown; readonly clause?: string } = {},
): RefusedResult {
  return {
    kind: "refused",
    error: fault(code, message, options.details),
    ...(options.clause === undefined ? {} : { clause: options.clause }),
  };
}
