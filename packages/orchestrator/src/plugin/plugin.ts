// The contract of a plugin: one step of the pipeline. `decide` is synchronous and pure; whatever needs I/O is a `prepare`
// before it or an effect after it (docs/adr/0002).

import type { OpenedSession, SessionAddress } from "../client.ts";
import type { Fault, FaultTable } from "../fault/fault.ts";
import type { Problem } from "../fault/problem.ts";
import type { Awaitable } from "../log/log.ts";
import type { MessageDefinition, MessageTable } from "../message/definition.ts";
import type { CallOptions, Envelope, Facts, Message, Principal, TakenOptions } from "../message/message.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import type { Change, State } from "../state/state.ts";
import type { Table } from "../state/table.ts";
import type { Timers } from "../time/timers.ts";
import type { Connections } from "./connection.ts";
import type { NodeInfo, Reader } from "./reader.ts";
import type { Effect, PluginResult } from "./result.ts";
import type { Authority, Right, Token, TokenValues } from "./token.ts";

/** What `decide` is given. All of it is frozen. */
export interface PluginContext<Needs extends readonly Token[] = []> {
  readonly message: Message;
  readonly envelope: Envelope;
  readonly definition: MessageDefinition;
  /** Set where it is only asked whether the message is allowed, and nothing will come of the decision: the plugin that adds the authority need not act on it. */
  readonly asking: boolean;
  /** The state as the plugins before this one left it. */
  readonly state: State;
  /** The state as it was before the message. */
  readonly before: State;
  /** The rows that the plugins before this one changed, oldest first. */
  readonly changes: readonly Change[];
  /** The values of the tokens that they added. */
  readonly needs: TokenValues<Needs>;
  /**
   * 16 bytes in base64url, 10 of them random: drawn when first read, recorded with the message, and the same whenever it is decided
   * again. For commands only; a message that leaves no entry gets zeros.
   */
  readonly nonce: string;
}

/** An effect as it is owed. */
export interface OwedEffect extends Required<Pick<Effect, "kind" | "data" | "attempt" | "replayable">> {
  readonly id: string;
  readonly plugin: string;
  /** The id of the message that owes it; `message` is that message. */
  readonly owing: string;
  readonly message: Message;
  readonly principal: string;
  readonly grant: string;
  readonly hops: number;
  /** The nodes that forwarded the owing message, oldest first. */
  readonly via: readonly string[];
  readonly correlation: string | undefined;
  readonly traceparent: string | undefined;
  readonly notBefore: number | undefined;
  readonly deadline: number | undefined;
  readonly owner: { readonly node: string; readonly epoch: number };
}

/** What is known of an effect whose node died, without reading the log. */
export type LostEffect = Pick<OwedEffect, "id" | "kind" | "data" | "attempt" | "owing">;

/** What an effect's handler may use. */
export interface EffectRuntime {
  /** Aborted when the effect is cancelled, its deadline passes, or the node stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /**
   * Sends a message to this orchestrator in the name of `as`, caused by the owing message; resolves once durable. With a `key`, an
   * effect that is carried out again does not do it twice.
   */
  apply(message: Message, as: Principal, options?: { readonly key?: string }): Promise<unknown>;
  get<Row>(table: Table<Row>, key: string): Row | undefined;
  /** Why the grant of `as` does not cover a right now; `undefined` where it does. */
  allows(right: Right, as: Principal): Fault | undefined;
}

/** A caller's callback, for as long as its session lives. The caller controls it: it may hang, throw, or answer anything. */
export interface Live {
  call(...args: readonly unknown[]): Promise<unknown>;
  /** Calls back once, when the callback can no longer be called. Answers a function that cancels this. */
  onGone(callback: (why: string) => void): () => void;
  /** Releases the callback: it can no longer be called. */
  dispose(): void;
}

/** What a message inherits from whatever led to it. */
export interface Origin {
  /** Id of the message that led to it. */
  readonly cause?: string | undefined;
  /** The depth of its chain of causes. */
  readonly hops?: number | undefined;
  /** The nodes that forwarded it, oldest first. */
  readonly via?: readonly string[] | undefined;
  /** `ForwardedOptions.timeout` */
  readonly timeout?: number | undefined;
  /** `ForwardedOptions.request` */
  readonly request?: string | undefined;
  readonly correlation?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** A row as the durable entries leave it. */
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
  /** The node's incarnation: grows with each start and each restore. */
  readonly epoch: number;
  /**
   * The ed25519 signature of a text whose first line is one of the plugin's labels (`signs`). Labels keep such texts apart from those
   * that the node signs about its log with the same key.
   * @throws FaultError COMPOSITION_INVALID for any other text, and where the key cannot sign synchronously
   */
  sign(text: Uint8Array): Uint8Array;
  /**
   * The node's cosignature (https://c2sp.org/tlog-cosignature) of another log's checkpoint, as a line of its note. It says that at `time`
   * this was the largest consistent tree of that log that the node had seen. For the one plugin that declares `cosigns`.
   * @param text the checkpoint without signatures
   * @param time seconds since the epoch
   * @throws ProofError CHECKPOINT_INVALID, FaultError COMPOSITION_INVALID
   */
  cosign(text: string, time: number): string;
}

/** Where to dial, and which limits the other side gets. */
export interface DialOptions extends SessionAddress {
  /** The limits of the other side in this session; default: those of an authenticated caller. */
  readonly limits?: Partial<SessionLimits> | undefined;
}

/** What a plugin may use in `run`, for work that no message asks for: deliveries, schedules, sessions with other nodes. */
export interface PluginRuntime {
  readonly node: NodeInfo;
  readonly reader: Reader;
  readonly log: Logger;
  readonly timers: Timers;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Number of the last durable entry. */
  readonly durable: number;
  /** Calls back each time that entries became durable or were undone. Answers a function that cancels this. */
  onAdvance(callback: () => void): () => void;
  /**
   * Frames that `send` sends before it returns leave at once; others wait until everything decided so far is durable (DESIGN.md §2). Only for what
   * an effect asks of other nodes: its entry is durable, or it may happen although its entry is undone (`Effect.replayable`). Nothing in these
   * frames may depend on later decisions.
   */
  sendUnheld<T>(send: () => T): T;
  /** Sends a message to this orchestrator in the name of `as`, under their grant; resolves once durable. @throws FaultError */
  apply(message: Message, as: Principal, options?: CallOptions, origin?: Origin): Promise<unknown>;
  /**
   * Sends a message in the node's own name, internal ones included; resolves once durable. Works also while the node stops, until
   * every plugin's `stop` has ended. @throws FaultError
   */
  note(message: Message, origin?: Origin): Promise<unknown>;
  /** Why someone's grant does not cover a right as of now; `undefined` where it does. */
  allows(right: Right, as: Principal): Fault | undefined;
  /** The authority of `as` now, where their grant covers the right; otherwise the fault that says why not. */
  authorize(right: Right, as: Principal): Authority | Fault;
  /** The callback behind a reference in a message's data; `undefined` where its session has ended. */
  live(reference: string): Live | undefined;
  /** The tables, of all plugins, whose rows other nodes may reach by a route (`TableOptions.routes`). */
  readonly routable: readonly Table[];
  /**
   * Calls back with the durable rows of logged tables: first with all of them, then with those that changed since, each key once with its
   * latest row. Undone changes are never passed. Answers a function that cancels this.
   */
  follow(tables: readonly Table[], callback: (rows: readonly FollowedRow[], durable: number) => void): () => void;
  readonly identity: Identity;
  /**
   * Opens a session with another node. It is like a client's (client.ts), but the other side's calls of our callbacks have a caller's
   * limits, and nothing leaves before what it is based on is durable. Resolves once it is open. @throws FaultError UNREACHABLE
   */
  dial(options: DialOptions): Promise<OpenedSession>;
  /** The value that another plugin gives for a token (`gives`). @throws FaultError COMPOSITION_INVALID where none does */
  given<Value>(token: Token<string, Value>): Value;
}

/** The node's own log lines: fields first, then a text. */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** How one kind of effect is carried out. Each method answers the message that records the outcome. */
export interface EffectHandler {
  /** May answer without a promise. Where it throws or rejects, `failed` says what is recorded. */
  carryOut(effect: OwedEffect, runtime: EffectRuntime): Awaitable<Message>;
  /** For an effect that threw, or passed its deadline. */
  failed(effect: OwedEffect, fault: Fault): Message;
  /** For an effect whose node died: nobody can know whether it ran. */
  lost(effect: LostEffect): Message;
}

export type EffectHandlers = Readonly<Record<string, EffectHandler>>;

/** What a door may use to turn requests into messages of authenticated callers. */
export interface DoorContext {
  readonly reader: Reader;
  /** The principal of the request's bearer credential; or the fault to answer with 401. */
  authenticate(request: Request): Promise<Principal | Fault>;
  /** Sends the message; resolves once the answer is durable. @throws FaultError */
  submit(message: Message, as: Principal, options?: TakenOptions): Promise<unknown>;
  /** The HTTP status for a fault's code. */
  statusOf(code: string): number;
  /** A fault as a problem of RFC 9457. */
  problem(fault: Fault): Problem;
  /** The response for a fault: its status, and the problem as the body. */
  refuse(fault: Fault): Response;
  /** Lifts the idle timeout of a request, which is otherwise cut off after a silence (server/serve.ts, `IDLE_S`). */
  keepOpen(request: Request): void;
  /** Aborted when the node stops. A response that stays open would delay the stop. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

/** HTTP paths of a plugin's own. The node has checked Host and Origin before. */
export interface Door {
  /** As hono matches them: `/events`, `/files/*`. */
  readonly path: string;
  /** The methods that it answers; the node answers OPTIONS and refuses the others. Default: the door answers all methods itself. */
  readonly methods?: readonly string[];
  fetch(request: Request, context: DoorContext): Awaitable<Response>;
}

/** Makes `needs` and `adds` required where their types name tokens: an optional field could be left out by mistake. */
type Declares<Name extends string, Tokens extends readonly Token[]> = [Tokens[number]] extends [never]
  ? { readonly [N in Name]?: Tokens }
  : { readonly [N in Name]: Tokens };

/** Which tokens each decision must add: none where `gives` has all of them. Where it has some, this is checked at run time. */
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
  /** By message name: reads what `decide` needs and cannot have in memory. Runs only where the plugins before this one would pass the message. */
  readonly prepare?: Readonly<Record<string, (envelope: Envelope, reader: Reader) => Promise<Facts>>>;
  decide(context: PluginContext<Needs>): PluginResult<Decided<Adds, Given>>;
  /**
   * By name, the values of tokens that are the same for every message: decisions need not add them, and other plugins' `run` can ask
   * for them (`PluginRuntime.given`).
   */
  readonly gives?: Given | undefined;
  /** By message name: answers the plugin's own queries and signals after `decide` has passed them. */
  readonly answer?: Readonly<Record<string, (envelope: Envelope, reader: Reader, authority: Authority) => unknown>>;
  readonly effects?: EffectHandlers;
  /** The oldest entry that the plugin still needs, and why: compaction keeps it. `undefined` where it needs none. */
  retains?(reader: Reader): Awaitable<{ readonly entry: number; readonly why: string } | undefined>;
  readonly connections?: Connections;
  /** Labels: the first lines of the texts that the plugin has the node's key sign, such as `capstan route origin/1`. */
  readonly signs?: readonly string[];
  /** It witnesses other logs and has the node's key cosign their checkpoints. One plugin of a composition may: two could contradict each other. */
  readonly cosigns?: true;
  readonly doors?: readonly Door[];
  start?(node: NodeInfo): Promise<void>;
  /** Starts the plugin's own work: called last, once messages are accepted, and never on a damaged log. `stop` ends it. */
  run?(runtime: PluginRuntime): void;
  stop?(): Promise<void>;
}

/** A plugin: one step of the pipeline. Made with `definePlugin`. */
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
