// How a plugin declares a message: its kind, its schemas and what it is about. Scopes, doors, the CLI and the
// documentation are generated from these tables, so that nothing can be asked that is not in one.

import type { z } from "zod";
import type { Envelope } from "./message.ts";

/**
 * - `command`: logged. Someone may have to answer for it, or is owed it.
 * - `signal`: same pipeline, same authority, session tables only, no entry. It can be learned again by asking.
 * - `query`: authorised by `decide`, answered by `answer`; no entry.
 */
export type MessageKind = "command" | "signal" | "query";

/** The declaration of a message. */
export interface MessageDefinition<
  Data extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Kind extends MessageKind = MessageKind,
> {
  readonly kind: Kind;
  /** A closed object (`z.strictObject`). */
  readonly data: Data;
  readonly result: Result;
  /** One line, for `--help`, OpenAPI and MCP. */
  readonly summary: string;
  /** Only the node itself sends it: no scope method, refused by every door. */
  readonly internal?: boolean;
  /**
   * For internal signals only: the data is taken as the plugin made it, neither parsed nor frozen. It may be a table of tens of
   * thousands of rows, and walking it would cost more than deciding it. The plugin must not change it afterwards. Rows are frozen as usual.
   */
  readonly asIs?: boolean;
  /** Decided with the number of its own entry among its facts, so that rows can say which entry did something. */
  readonly numbered?: boolean;
  /**
   * The result is a principal and a grant, and callers over RPC get a scope of them beside it: `{ principal, grant, scope }`.
   */
  readonly scope?: boolean;
  /** Whether the target is a name, which stands in a namespace, or an id, which does not: then the plugin that keeps the thing checks its namespace. */
  readonly about?: "name" | "id";
  /** Fields of the data that take a callback of the caller's: over RPC a stub, which the edge turns into a reference. */
  readonly live?: readonly string[];
  /**
   * Can be addressed to another node: its data has an optional text `at`, which `scope.at(where)` sets. The kernel does not interpret
   * it. Made by `addressed`.
   */
  readonly addressed?: boolean;
  /** Which right to its namespace it needs. Default: `read` for a query, `write` for the others. */
  readonly right?: "read" | "write";
  /** Its namespace, where the target's name does not tell it. */
  namespace?(data: z.output<Data>): string;
  /** What the message is about, which grants are checked against; `undefined` where it is about nothing in particular. */
  target?(data: z.output<Data>): string | undefined;
}

/** Name of the fact that holds a numbered message's entry number. */
export const ENTRY_NUMBER = "$entry";

/** Name of the fact that holds the random bytes drawn for a message (`PluginContext.nonce`). */
export const NONCE = "$nonce";

/** Name of the fact of a forwarded message whose request already arrived by another path: the id of the message that it joins. */
export const JOINS = "$joins";

/**
 * Name of a detail of a fault. For a node that forwards a request, `final: true` promises that nothing more will come of what it asked under that
 * key: either this fault is the recorded outcome, or nothing was accepted under the key before. Without it the fault may be of a repeat only.
 */
export const FINAL = "final";

/** The number of the entry that a numbered message is being decided for. */
export function entryNumberOf({ facts }: Pick<Envelope, "facts">): number {
  return facts[ENTRY_NUMBER] as number;
}

/** resource → verb → definition. */
export type MessageTable = Readonly<Record<string, Readonly<Record<string, MessageDefinition>>>>;

type Options<Data extends z.ZodType, Result extends z.ZodType> = Omit<MessageDefinition<Data, Result>, "kind">;

/** Declares a command: logged, because someone may have to answer for it, or is owed it. */
export function command<Data extends z.ZodType, Result extends z.ZodType>(
  options: Options<Data, Result>,
): MessageDefinition<Data, Result, "command"> {
  return { kind: "command", ...options };
}

/** Declares a signal: decided like a command, but it changes session tables only, and is not logged. */
export function signal<Data extends z.ZodType, Result extends z.ZodType>(
  options: Options<Data, Result>,
): MessageDefinition<Data, Result, "signal"> {
  return { kind: "signal", ...options };
}

/** Declares a query: authorised by `decide`, answered by `answer`, and not logged. */
export function query<Data extends z.ZodType, Result extends z.ZodType>(
  options: Options<Data, Result>,
): MessageDefinition<Data, Result, "query"> {
  return { kind: "query", ...options };
}

/** A message that can be addressed to another node, also by type. */
export function addressed<Definition extends MessageDefinition>(
  definition: Definition,
): Definition & { readonly addressed: true } {
  return { ...definition, addressed: true };
}
