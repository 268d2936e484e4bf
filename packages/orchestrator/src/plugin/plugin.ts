// The contract of a plugin: one step of the pipeline. `decide` is synchronous and pure; whatever needs I/O is a `prepare`
// before it or an effect after it (docs/adr/0002).

import type { z } from "zod";
import type { Fault, FaultTable } from "../fault/fault.ts";
import type { DecodedEntry, Part } from "../log/entry.ts";
import type { Awaitable, LogTree, StoredEntry } from "../log/log.ts";
import type { MessageDefinition, MessageTable } from "../message/definition.ts";
import type { Envelope, Facts, Message, Principal } from "../message/message.ts";
import type { Change, State } from "../state/state.ts";
import type { Table } from "../state/table.ts";
import type { Effect, PluginResult } from "./result.ts";
import type { Authority, Token, TokenValues } from "./token.ts";

export interface PluginContext<Needs extends readonly Token[] = []> {
  readonly message: Message;
  readonly envelope: Envelope;
  readonly definition: MessageDefinition;
  /** As the plugins before this one left it. */
  readonly state: State;
  /** As it was before the message. */
  readonly before: State;
  /** What the plugins before this one altered, oldest first. */
  readonly changes: readonly Change[];
  /** What they added. */
  readonly needs: TokenValues<Needs>;
}

/** Reads for `prepare` and `answer`: the tip's rows, and the log, entries included that are decided and not yet durable. */
export interface Reader {
  readonly node: NodeInfo;
  /** Number of the last decided entry that the reads see. */
  readonly revision: number;
  get<Row>(table: Table<Row>, key: string): Row | undefined;
  rows<Row>(table: Table<Row>): Iterable<readonly [string, Row]>;
  entries(
    from: number,
    options?: { readonly limit?: number; readonly reverse?: boolean },
  ): Awaitable<readonly StoredEntry[]>;
  /** The number of the entry whose message has this id. */
  find(id: string): Awaitable<number | undefined>;
  /** Resolves once entries after `after` are durable, what was decided of them is undone, or `ms` milliseconds have passed. */
  durableAfter(after: number, ms: number): Promise<void>;
  /** A row's JSON of a table that only the log keeps, as of the durable head. */
  cold(table: string, key: string): Awaitable<string | undefined>;
  /** Number of the oldest entry that is kept: 1, unless the log was compacted. */
  readonly first: number;
  /** A part's value, wherever it is kept; `undefined` where there is none, or it was erased. */
  part(entry: DecodedEntry, part: Part): Awaitable<unknown>;
  /** The JSON of a part that is kept beside its entry, by its name, exactly as it was stored; `undefined` where it is gone. */
  blob(name: string): Awaitable<string | undefined>;
  readonly proofs: Proofs;
}

/** What proves to others what the log holds. */
export interface Proofs {
  /** The log's id. */
  readonly log: string;
  readonly tree: LogTree;
  /** A signed checkpoint (proof/checkpoint.ts) that covers every entry that was durable when it was asked for. */
  checkpoint(): Promise<string>;
}

export interface NodeInfo {
  readonly id: string;
  readonly name: string;
  /** The data directory; `undefined` where nothing is kept. */
  readonly directory: string | undefined;
}

/** An effect as it is owed. */
export interface OwedEffect extends Required<Pick<Effect, "kind" | "data" | "attempt" | "replayable">> {
  readonly id: string;
  readonly plugin: string;
  /** The message that owes it: its id, and itself. */
  readonly owing: string;
  readonly message: Message;
  readonly principal: string;
  readonly grant: string;
  readonly hops: number;
  readonly correlation: string | undefined;
  readonly notBefore: number | undefined;
  readonly deadline: number | undefined;
  readonly owner: { readonly node: string; readonly epoch: number };
}

/** What is known without reading the log of an effect whose node died. */
export type LostEffect = Pick<OwedEffect, "id" | "kind" | "data" | "attempt" | "owing">;

/** What an effect's handler may use. */
export interface EffectRuntime {
  /** Aborted when the effect is cancelled, its deadline passes, or the node stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /**
   * Asks this orchestrator as someone else, caused by the owing message; resolves once durable. Under a `key` an effect that is
   * carried out again does not ask twice.
   */
  apply(message: Message, as: Principal, options?: { readonly key?: string }): Promise<unknown>;
  get<Row>(table: Table<Row>, key: string): Row | undefined;
}

export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** How one kind of effect is carried out. Each answers the message that records the outcome. */
export interface EffectHandler {
  /** May answer at once. @throws: then `failed` says what is recorded. */
  carryOut(effect: OwedEffect, runtime: EffectRuntime): Awaitable<Message>;
  /** It threw, or its deadline passed. */
  failed(effect: OwedEffect, fault: Fault): Message;
  /** Its node died, and nobody can know whether it ran. */
  lost(effect: LostEffect): Message;
}

export type EffectHandlers = Readonly<Record<string, EffectHandler>>;

/** How someone gets a scope: `connectionFromCli(credential)`. */
export interface Connection<Input extends z.ZodType = z.ZodType> {
  readonly input: Input;
  /** Whether anybody could come this way at all: a node without a credential does not listen where others reach it. */
  open?(reader: Reader): boolean;
  /** Credentials are verified here, once. A fault is all that the caller learns. */
  verify(input: z.output<Input>, reader: Reader): Awaitable<Principal | Fault>;
}

/** Infers a connection's input from its schema. */
export function defineConnection<Input extends z.ZodType>(connection: Connection<Input>): Connection {
  return connection as Connection;
}

export type Connections = Readonly<Record<string, Connection>>;

/** HTTP paths of a plugin's own. */
export interface Door {
  readonly path: string;
  fetch(request: Request): Awaitable<Response>;
}

/** `needs` and `adds` must be there in value wherever they are there in type: an optional one would hide a missing one. */
type Declares<Name extends string, Tokens extends readonly Token[]> = [Tokens[number]] extends [never]
  ? { readonly [N in Name]?: Tokens }
  : { readonly [N in Name]: Tokens };

interface PluginBody<Needs extends readonly Token[], Adds extends readonly Token[], Messages extends MessageTable> {
  readonly name: string;
  readonly version?: string;
  /** What the plugin was made with, as plain data: part of the composition's digest. */
  readonly configuration?: unknown;
  readonly messages?: Messages;
  readonly tables?: readonly Table[];
  readonly faults?: FaultTable;
  /** By message name, for what `decide` needs and cannot have in memory. Runs only where the plugins before would pass. */
  readonly prepare?: Readonly<Record<string, (envelope: Envelope, reader: Reader) => Promise<Facts>>>;
  decide(context: PluginContext<Needs>): PluginResult<Adds>;
  /** By message name, for the plugin's own queries, once they were decided. */
  readonly answer?: Readonly<Record<string, (envelope: Envelope, reader: Reader, authority: Authority) => unknown>>;
  readonly effects?: EffectHandlers;
  /** The oldest entry that the plugin still needs: compaction stops there. `undefined` where it needs none. */
  retains?(reader: Reader): Awaitable<{ readonly entry: number; readonly why: string } | undefined>;
  readonly connections?: Connections;
  readonly doors?: readonly Door[];
  start?(node: NodeInfo): Promise<void>;
  stop?(): Promise<void>;
}

export type Plugin<
  Needs extends readonly Token[] = [],
  Adds extends readonly Token[] = [],
  Messages extends MessageTable = Record<never, never>,
> = PluginBody<Needs, Adds, Messages> & Declares<"needs", Needs> & Declares<"adds", Adds>;

/** Any plugin, where its types no longer matter. */
export type AnyPlugin = PluginBody<readonly Token[], readonly Token[], MessageTable> & {
  readonly needs?: readonly Token[];
  readonly adds?: readonly Token[];
};

/** What the log records of a plugin. */
export interface PluginDescription {
  readonly name: string;
  readonly version: string;
  readonly configuration: unknown;
}

/** Infers a plugin's needs, adds and messages from what is written. */
export function definePlugin<
  const Needs extends readonly Token[] = [],
  const Adds extends readonly Token[] = [],
  const Messages extends MessageTable = Record<never, never>,
>(
  // The plain fields are where the compiler infers from; `Plugin` is what it then checks.
  plugin: { readonly needs?: Needs; readonly adds?: Adds } & Plugin<Needs, Adds, Messages>,
): Plugin<Needs, Adds, Messages> {
  return plugin;
}
