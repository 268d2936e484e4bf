// The client's front door: a scope over a WebSocket, over a link of another kind, or over one HTTP batch. It runs in browsers too, and so
// imports nothing but capnweb. Calls on a scope return promises that further calls can be made on before they resolve.

import { newWebSocketRpcSession, RpcSession, type RpcTransport } from "capnweb";
import { type Fault, FaultError } from "./fault/fault.ts";
import type { MessageTable } from "./message/definition.ts";
import { rpcUrl } from "./rpc/rpc-url.ts";
import type { AddressedScope, Scope } from "./scope/scope-type.ts";
import { ClientTransport } from "./transport/client-transport.ts";
import type { Dial } from "./transport/link.ts";

export type { Dial } from "./transport/link.ts";

/** Where a session goes. */
export interface SessionAddress {
  /** The node: `http://127.0.0.1:7420`; with `dial` whatever that takes, such as `iroh://…`. */
  readonly url: string;
  /** How a WebSocket is opened, where certificates or a proxy need more than an address. */
  readonly webSocket?: ((url: string) => WebSocket) | undefined;
  /** What a session goes over that is no plain WebSocket: `irohDial()` of @capstan/orchestrator/iroh, `pinnedDial(pin)`. */
  readonly dial?: Dial | undefined;
}

export interface ConnectOptions extends SessionAddress {
  /** Which connection to ask for, and what it is given: `{ connectionFromCli: token }`. */
  readonly as: Readonly<Record<string, unknown>>;
  /** How a batch's request is sent, likewise. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

/**
 * What a call promises. Its fields are promises too, and may be put into further calls before it resolves; over a list,
 * `map` runs a recorded function on the server. All of it is one round trip.
 */
export type RemoteValue<T = unknown> = Promise<T> &
  (unknown extends T
    ? RemoteFields & Mappable<unknown>
    : T extends readonly (infer Element)[]
      ? Mappable<Element>
      : T extends object
        ? { readonly [Field in keyof T]-?: RemoteValue<NonNullable<T[Field]>> }
        : unknown);

interface RemoteFields {
  readonly [field: string]: RemoteValue;
}

interface Mappable<Element> {
  map<Made>(
    over: (element: RemoteValue<Element>) => Made,
  ): RemoteValue<Made extends RemoteValue<infer V> ? V[] : Made[]>;
}

/** An argument, with promises of earlier calls in it where that is wanted. */
export type RemoteArgument<T> =
  | T
  | Promise<T>
  | (T extends object ? { [Field in keyof T]: RemoteArgument<T[Field]> } : T);

type RemoteArguments<Arguments extends readonly unknown[]> = { [I in keyof Arguments]: RemoteArgument<Arguments[I]> };

type RemoteVerbs<Verbs> = {
  readonly [Verb in keyof Verbs]: Verbs[Verb] extends (...args: infer Arguments) => Promise<infer Result>
    ? (...args: RemoteArguments<Arguments>) => RemoteValue<Result>
    : never;
};

/** A scope as a caller in another process holds it. */
export type RemoteScope<Messages = MessageTable> = {
  readonly [Resource in keyof Messages]: RemoteVerbs<Scope<Messages>[Resource]>;
} & RemoteAsking<Messages> &
  Disposable;

/** What can be asked of another node: `scope.at("berlin").action.perform(…)`, in one round trip. */
export type RemoteAddressedScope<Messages = MessageTable> = {
  readonly [Resource in Exclude<keyof AddressedScope<Messages>, "applyAction" | "at">]: RemoteVerbs<
    AddressedScope<Messages>[Resource]
  >;
} & RemoteAsking<Messages> &
  Disposable;

interface RemoteAsking<Messages> {
  applyAction(message: unknown, options?: unknown): RemoteValue;
  at(where: RemoteArgument<string>): RemoteAddressedScope<Messages>;
}

/**
 * A node's public object: `health()`, `challenge(…)`, a method a connection. What a call promises can be called on before it resolves.
 * Functions and RpcTargets among the arguments become callbacks, for as long as the session lives or until the other side gives them back.
 */
export type RemoteApi = Disposable & {
  onRpcBroken(callback: (error: unknown) => void): void;
} & Readonly<Record<string, (...args: readonly unknown[]) => RemoteValue>>;

export interface OpenedSession {
  readonly api: RemoteApi;
  /** Calls back once, when the session has ended, whoever ended it. */
  onClose(callback: (error: unknown) => void): void;
  close(): void;
}

export interface Connected<Messages = MessageTable> {
  readonly scope: RemoteScope<Messages>;
  /** Calls back once, when the connection is lost. */
  onClose(callback: (error: unknown) => void): void;
  close(): void;
}

/** A session whose public object is asked by hand. `connect` is for one connection and its scope. */
export function openSession(address: SessionAddress): OpenedSession {
  const api = publicApi(address);
  return { api, onClose: (callback) => api.onRpcBroken(callback), close: () => api[Symbol.dispose]() };
}

/**
 * A session: calls and their answers flow until it is closed. `Messages` types the scope:
 * `connect<StandardMessages>(…)`.
 */
export function connect<Messages = MessageTable>(options: ConnectOptions): Connected<Messages> {
  const { api, onClose, close } = openSession(options);
  const scope = scopeOf<Messages>(api, options.as);
  return {
    scope,
    onClose,
    close() {
      scope[Symbol.dispose]();
      close();
    },
  };
}

/** What a node says of itself to everybody. */
export interface Health {
  readonly node: string;
  /** How many are durable. */
  readonly entries: number;
  /** Whether it takes commands; where it does not, why. */
  readonly ready: boolean;
  readonly why?: string;
}

/** Asks a node how it is, without a credential, over a session of its own. */
export async function health(address: SessionAddress): Promise<Health> {
  const { api, close } = openSession(address);
  try {
    return (await (api.health as () => unknown)()) as Health;
  } finally {
    close();
  }
}

function publicApi({ url, webSocket, dial }: SessionAddress): RemoteApi {
  if (dial !== undefined) return new RpcSession(new ClientTransport(url, dial)).getRemoteMain() as unknown as RemoteApi;
  const address = rpcUrl(url, "ws");
  return newWebSocketRpcSession(webSocket?.(address) ?? address) as unknown as RemoteApi;
}

/** One HTTP batch: everything asked of the scope before the first `await` goes in one round trip, and then it is over. */
export function batch<Messages = MessageTable>(options: ConnectOptions): { readonly scope: RemoteScope<Messages> } {
  const { url, as } = options;
  const session = new RpcSession(new BatchTransport(rpcUrl(url, "http"), options.fetch ?? fetch));
  return { scope: scopeOf<Messages>(session.getRemoteMain() as unknown as RemoteApi, as) };
}

function scopeOf<Messages>(api: RemoteApi, as: ConnectOptions["as"]): RemoteScope<Messages> {
  const [entry, ...more] = Object.entries(as);
  if (entry === undefined || more.length > 0)
    throw new TypeError("`as` names one connection: { connectionFromCli: token }");
  const [connection, input] = entry;
  // Called as a method: what a stub's property gives is a stub too, and knows where it came from.
  return (api[connection] as (input: unknown) => unknown)(input) as RemoteScope<Messages>;
}

/** The fault in whatever a remote call threw; a lost connection is `UNREACHABLE`. */
export function remoteFault(thrown: unknown): Fault {
  if (thrown instanceof FaultError) return thrown.toFault();
  const { code, message, details, id } = (thrown ?? {}) as Partial<Fault>;
  // A system's own code, such as ECONNREFUSED, is no fault of the node's.
  if (typeof code === "string" && /^(?!E[A-Z]+$)[A-Z][A-Za-z0-9_]*$/.test(code) && code === code.toUpperCase()) {
    return new FaultError({ code, message: String(message), details, ...(id === undefined ? {} : { id }) }).toFault();
  }
  return { code: "UNREACHABLE", message: String(message ?? thrown) };
}

/**
 * What is sent in one turn is one request, and its answer is all that is received. capnweb's own transport for this tells only the
 * status where the node answers with a fault; this one throws the fault.
 */
class BatchTransport implements RpcTransport {
  #frames: string[] = [];
  #aborted: unknown;
  readonly #answer: Promise<string[]>;

  constructor(url: string, send: NonNullable<ConnectOptions["fetch"]>) {
    this.#answer = this.#ask(url, send);
    // Whoever receives hears of it.
    this.#answer.catch(() => {});
  }

  send(frame: string): void {
    this.#frames.push(frame);
  }

  async receive(): Promise<string> {
    const frame = (await this.#answer).shift();
    if (frame === undefined) throw new Error("the batch is over; make another");
    return frame;
  }

  abort(reason: unknown): void {
    this.#aborted = reason;
  }

  async #ask(url: string, send: NonNullable<ConnectOptions["fetch"]>): Promise<string[]> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (this.#aborted !== undefined) throw this.#aborted;
    const response = await send(url, { method: "POST", body: this.#frames.join("\n") });
    const text = await response.text();
    if (response.ok) return text === "" ? [] : text.split("\n");
    throw faultIn(text) ?? new Error(`the node answered ${response.status} ${response.statusText}`);
  }
}

function faultIn(text: string): FaultError | undefined {
  try {
    const body = JSON.parse(text) as Partial<Fault>;
    return typeof body.code === "string"
      ? new FaultError({ ...body, code: body.code, message: String(body.message) })
      : undefined;
  } catch {
    return undefined;
  }
}
