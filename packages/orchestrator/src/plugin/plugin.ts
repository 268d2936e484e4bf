// The contract of a plugin: one step of the pipeline. `decide` is synchronous and pure; whatever needs I/O is a `prepare`
// before it or an effect after it (docs/adr/0002).

import type { OpenedSession, SessionAddress } from "../client.ts";
import type { Fault, FaultTable } from "../fault/fault.ts";
import type { Problem } from "../fault/problem.ts";
import type { Awaitable } from "../log/log.ts";
import type { MessageDefinition, MessageTable } from "../message/definition.ts";
import type { CallOptions, Envelope, Facts, Message, Principal, TakenOptions } from "../message/message.ts";
import type { Timers } from "../pipeline/timers.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import type { Change, State } from "../state/state.ts";
import type { Table } from "../state/table.ts";
import type { Connections } from "./connection.ts";
import type { NodeInfo, Reader } from "./reader.ts";
import type { Effect, PluginResult } from "./result.ts";
import type { Authority, Right, Token, TokenValues } from "./token.ts";

export interface PluginContext<Needs extends readonly Token[] = []> {
  readonly message: Message;
  readonly envelope: Envelope;
  readonly definition: MessageDefinition;
  /** Whether it is only asked if the message may be: whoever establishes the authority does nothing of the message itself. */
  readonly asking: boolean;
  /** As the plugins before this one left it. */
  readonly state: State;
  /** As it was before the message. */
  readonly before: State;
  /** What the plugins before this one altered, oldest first. */
  readonly changes: readonly Change[];
  /** What they added. */
  readonly needs: TokenValues<Needs>;
  /**
   * 16 bytes, 10 of them random, in base64url: drawn when they are first asked for, recorded with the message, and the same whenever it is decided
   * again. Of commands alone: for what leaves no entry nothing is drawn, and they are zeros.
   */
  readonly nonce: string;
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
  /** The nodes that the owing message came through. */
  readonly via: readonly string[];
  readonly correlation: string | undefined;
  readonly traceparent: string | undefined;
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
  /** Why someone's grant does not cover a right as of now; `undefined` where it does. */
  allows(right: Right, as: Principal): Fault | undefined;
}

/** A callback of a caller's, for as long as its session lives. It is the caller's: it may hang, throw, or answer anything. */
export interface Live {
  call(...args: readonly unknown[]): Promise<unknown>;
  /** Called once, when it can be called no more. Answers how to stop that. */
  onGone(callback: (why: string) => void): () => void;
  /** Gives it back; it can be called no more. */
  dispose(): void;
}

/** What a message that a plugin asks by itself comes from. */
export interface Origin {
  /** Id of the message that led to it. */
  readonly cause?: string | undefined;
  /** How many causes deep it is. */
  readonly hops?: number | undefined;
  /** The nodes that it came through. */
  readonly via?: readonly string[] | undefined;
  /** `ForwardedOptions.request` */
  readonly request?: string | undefined;
  readonly correlation?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** A row as of the durable head. */
export interface FollowedRow {
  readonly table: Table;
  readonly key: string;
  /** `undefined` where it was removed. */
  readonly row: unknown;
}

/** Who this node is to other nodes. */
export interface Identity {
  readonly node: string;
  /** The key in force, 32 bytes in base64url. It changes when the key is rotated. */
  readonly publicKey: string;
  /** The node's incarnation: rises with each start, and after a restore. */
  readonly epoch: number;
  /**
   * The ed25519 signature of a text whose first line is one of the plugin's labels (`signs`). @throws FaultError COMPOSITION_INVALID
   * for any other, since with the same key the node signs what its log holds; and where the key cannot sign at once.
   */
  sign(text: Uint8Array): Uint8Array;
  /**
   * The node's cosignature (https://c2sp.org/tlog-cosignature) of another log's checkpoint, as a line of its note: that by `time`, in
   * seconds since the epoch, this is the largest consistent tree of that log that the node has seen. For the one plugin that says so (`cosigns`).
   * @param text of the checkpoint, without signatures. @throws ProofError CHECKPOINT_INVALID, FaultError COMPOSITION_INVALID
   */
  cosign(text: string, time: number): string;
}

export interface DialOptions extends SessionAddress {
  /** What the other side may use of the session; default: as an authenticated caller. */
  readonly limits?: Partial<SessionLimits> | undefined;
}

/** What a plugin may use for what it does by itself, beside messages: deliveries, schedules. */
export interface PluginRuntime {
  readonly node: NodeInfo;
  readonly reader: Reader;
  readonly log: Logger;
  readonly timers: Timers;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Number of the last durable entry. */
  readonly durable: number;
  /** Calls back each time that entries became durable or were undone. Answers how to stop that. */
  onAdvance(callback: () => void): () => void;
  /**
   * What `send` sends over sessions, before it returns, leaves at once, and not only once all that was decided is durable. For what an effect asks
   * of others: what owes it is durable, or it may be done though that is undone (`Effect.replayable`). It must tell of nothing decided since.
   */
  sendUnheld<T>(send: () => T): T;
  /** Asks this orchestrator in somebody's name, like any message of theirs; resolves once durable. @throws FaultError */
  apply(message: Message, as: Principal, options?: CallOptions, origin?: Origin): Promise<unknown>;
  /**
   * Takes a message of the node's own, internal ones included; resolves once durable. Taken also while the node stops, until
   * every plugin's `stop` is over. @throws FaultError
   */
  note(message: Message, origin?: Origin): Promise<unknown>;
  /** Why someone's grant does not cover a right as of now; `undefined` where it does. */
  allows(right: Right, as: Principal): Fault | undefined;
  /** Someone's authority as of now, where their grant covers a right; or why it does not. */
  authorize(right: Right, as: Principal): Authority | Fault;
  /** The callback that a reference in a message's data stands for; `undefined` where its session has ended. */
  live(reference: string): Live | undefined;
  /** The tables whose rows can be reached by a route (`TableOptions.routes`), whoever owns them. */
  readonly routable: readonly Table[];
  /**
   * Calls back with the rows of logged tables as they become durable: first with all that there are, then with those that changed, each
   * key once, as it is by then. What is undone is never told. Answers how to stop that.
   */
  follow(tables: readonly Table[], callback: (rows: readonly FollowedRow[], durable: number) => void): () => void;
  readonly identity: Identity;
  /**
   * A session with another node: as a client's (client.ts), but what the other side asks of our callbacks is bounded like a caller's,
   * and nothing leaves before what it says is durable. Resolves once it is open. @throws FaultError UNREACHABLE
   */
  dial(options: DialOptions): Promise<OpenedSession>;
  /** What another plugin gives under a token (`gives`). @throws FaultError COMPOSITION_INVALID where none does */
  given<Value>(token: Token<string, Value>): Value;
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

/** What a door may use: what comes through it are messages of somebody's. */
export interface DoorContext {
  readonly reader: Reader;
  /** Who asks, by the request's bearer credential; or why nobody does, to be answered with 401. */
  authenticate(request: Request): Promise<Principal | Fault>;
  /** Resolves once what it answers is durable. @throws FaultError */
  submit(message: Message, as: Principal, options?: TakenOptions): Promise<unknown>;
  /** The HTTP status that a fault's code is answered with. */
  statusOf(code: string): number;
  /** A fault as callers over HTTP are told it (RFC 9457). */
  problem(fault: Fault): Problem;
  /** The answer to a request that came to nothing. */
  refuse(fault: Fault): Response;
  /** The request may stay silent for as long as it likes: without this it is cut off after a while. */
  keepOpen(request: Request): void;
  /** Aborted when the node stops: what is left open would hold it up. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

/** HTTP paths of a plugin's own. Admission (Host, Origin) is the node's, before it. */
export interface Door {
  /** As hono matches them: `/events`, `/files/*`. */
  readonly path: string;
  /** Those that it answers; the others, and OPTIONS, are the node's. Default: all of them are its own. */
  readonly methods?: readonly string[];
  fetch(request: Request, context: DoorContext): Awaitable<Response>;
}

/** `needs` and `adds` must be there in value wherever they are there in type: an optional one would hide a missing one. */
type Declares<Name extends string, Tokens extends readonly Token[]> = [Tokens[number]] extends [never]
  ? { readonly [N in Name]?: Tokens }
  : { readonly [N in Name]: Tokens };

/** What of the tokens a decision has to add: none where all of them are given; checked at run time where only some are. */
type Decided<Adds extends readonly Token[], Given> = [keyof Given] extends [never]
  ? Adds
  : [Exclude<Adds[number]["name"], keyof Given>] extends [never]
    ? readonly []
    : readonly Token[];

interface PluginBody<
  Needs extends readonly Token[],
  Adds extends readonly Token[],
  Messages extends MessageTable,
  Given,
> {
  readonly name: string;
  readonly version?: string;
  /** What the plugin was made with, as plain data: part of the composition's digest. */
  readonly configuration?: unknown;
  readonly messages?: Messages;
  readonly tables?: readonly Table[];
  readonly faults?: FaultTable;
  /** By message name, for what `decide` needs and cannot have in memory. Runs only where the plugins before would pass. */
  readonly prepare?: Readonly<Record<string, (envelope: Envelope, reader: Reader) => Promise<Facts>>>;
  decide(context: PluginContext<Needs>): PluginResult<Decided<Adds, Given>>;
  /**
   * What of its tokens is the same for every message, by name: the plugins after it have it without a decision's adding it, and
   * find it for what they do beside messages (`PluginRuntime.given`).
   */
  readonly gives?: Given | undefined;
  /** By message name, for the plugin's own queries and signals, once they were decided. */
  readonly answer?: Readonly<Record<string, (envelope: Envelope, reader: Reader, authority: Authority) => unknown>>;
  readonly effects?: EffectHandlers;
  /** The oldest entry that the plugin still needs: compaction stops there. `undefined` where it needs none. */
  retains?(reader: Reader): Awaitable<{ readonly entry: number; readonly why: string } | undefined>;
  readonly connections?: Connections;
  /** First lines of the texts that the plugin has the node's key sign: `capstan route origin/1`. */
  readonly signs?: readonly string[];
  /** It witnesses other logs, and has the node's key cosign their checkpoints. One plugin does: two would contradict each other. */
  readonly cosigns?: true;
  readonly doors?: readonly Door[];
  start?(node: NodeInfo): Promise<void>;
  /** Begins what the plugin does by itself: called last, once messages are taken, and not on a damaged log. `stop` ends it. */
  run?(runtime: PluginRuntime): void;
  stop?(): Promise<void>;
}

export type Plugin<
  Needs extends readonly Token[] = [],
  Adds extends readonly Token[] = [],
  Messages extends MessageTable = Record<never, never>,
  Given = Record<never, never>,
> = PluginBody<Needs, Adds, Messages, Given> & Declares<"needs", Needs> & Declares<"adds", Adds>;

/** Any plugin, where its types no longer matter. */
export type AnyPlugin = PluginBody<
  readonly Token[],
  readonly Token[],
  MessageTable,
  Readonly<Record<string, unknown>>
> & {
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
  Given extends Partial<TokenValues<Adds>> = Record<never, never>,
>(
  // The plain fields are where the compiler infers from; `Plugin` is what it then checks.
  plugin: {
    readonly needs?: Needs;
    readonly adds?: Adds;
    readonly gives?: Given | undefined;
  } & Plugin<Needs, Adds, Messages, Given>,
): Plugin<Needs, Adds, Messages, Given> {
  return plugin;
}
