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
   * Internal signals alone: the data is taken as its plugin made it, neither parsed nor frozen, because it may be a table of tens of
   * thousands, and to look at it costs more than to decide it. Whoever makes it leaves it alone. Rows are frozen as all are.
   */
  readonly asIs?: boolean;
  /** It is decided with the number of its own entry, as a fact: rows can then say by which entry something was done. */
  readonly numbered?: boolean;
  /**
   * The result is a principal and a grant, and callers over RPC get a scope of them beside it: `{ principal, grant, scope }`.
   */
  readonly scope?: boolean;
  /** Whether what it is about stands in a namespace. An id does not: whoever keeps the thing checks what it is of. */
  readonly about?: "name" | "id";
  /** Fields of the data that take a callback of the caller's: over RPC a stub, which the edge turns into a reference. */
  readonly live?: readonly string[];
  /**
   * It can be addressed to another node: its data has an optional text `at`, which a scope's `at(where)` sets in all such messages. The
   * kernel knows nothing more of it. Made by `addressed`.
   */
  readonly addressed?: boolean;
  /** What it needs of the namespace that it is about. Default: `read` for a query, `write` for the others. */
  readonly right?: "read" | "write";
  /** The namespace that it is about, where the target's name does not say it. */
  namespace?(data: z.output<Data>): string;
  /** What the message is about, which grants are checked against; `undefined` where it is about nothing in particular. */
  target?(data: z.output<Data>): string | undefined;
}

/** The fact that a numbered message is decided with. */
export const ENTRY_NUMBER = "$entry";

/** The fact of what was drawn for a message (`PluginContext.nonce`). */
export const NONCE = "$nonce";

/** The fact of a message that joins another one, of the same request by another way: that one's id. It was decided once. */
export const JOINS = "$joins";

/**
 * The detail of a fault that a node is told of a request that it handed on: nothing more will become of what it asked by that key. It is of what was
 * recorded, and of a refusal where nothing had been accepted by it; a refusal of who asks again by then is without.
 */
export const FINAL = "final";

/** The number of the entry that a numbered message is being decided for. */
export function entryNumberOf({ facts }: Pick<Envelope, "facts">): number {
  return facts[ENTRY_NUMBER] as number;
}

/** resource → verb → definition. */
export type MessageTable = Readonly<Record<string, Readonly<Record<string, MessageDefinition>>>>;

type Options<Data extends z.ZodType, Result extends z.ZodType> = Omit<MessageDefinition<Data, Result>, "kind">;

export function command<Data extends z.ZodType, Result extends z.ZodType>(
  options: Options<Data, Result>,
): MessageDefinition<Data, Result, "command"> {
  return { kind: "command", ...options };
}

export function signal<Data extends z.ZodType, Result extends z.ZodType>(
  options: Options<Data, Result>,
): MessageDefinition<Data, Result, "signal"> {
  return { kind: "signal", ...options };
}

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
