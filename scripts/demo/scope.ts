// The messages that the demonstration sends, with types: what a call promises can be put into further calls before it is
// there. The client's front door knows the names of no plugin, so that its own scope is untyped.

import { batch, type ConnectOptions, connect, type RemoteScope } from "@capstan/orchestrator/client";

/** A promise whose parts are promises too; those of a list can be mapped over on the server. */
export type Pipelined<T> = Promise<T> &
  (T extends readonly (infer Element)[]
    ? { map(over: (element: Pipelined<Element>) => unknown): Promise<unknown> }
    : T extends object
      ? { readonly [Part in keyof T]: Pipelined<T[Part]> }
      : unknown);

type Query = (data: unknown) => Promise<unknown>;

export interface Scope {
  readonly action: {
    register(data: {
      name: string;
      protocol?: string;
      configuration: object;
      idempotent?: boolean;
      transform?: { input?: string; output?: string };
      attempts?: number;
      backoff?: number;
    }): Promise<unknown>;
    perform<Output>(
      data: { name: string; input: unknown },
      options?: { key: string },
    ): Pipelined<{ execution: string; output: Output }>;
    remove(data: { name: string }): Promise<unknown>;
    list(data: { limit?: number }): Pipelined<{ items: { name: string; revision: number }[] }>;
    describe(data: { name: unknown }): Promise<unknown>;
  };
  readonly grant: { create(data: { principal: string; allow: string[]; credential: string }): Promise<unknown> };
  readonly receiver: { register(data: { name: string; configuration: object; may: string[] }): Promise<unknown> };
  readonly subscription: { create(data: { topic: string; receiver?: string; from?: string }): Promise<unknown> };
  readonly log: { head: Query; list: Query; explain: Query };
  applyAction(message: { resource: string; action: string; data: unknown }): Promise<unknown>;
}

/** Where to ask, and by which credential. */
export interface Caller {
  readonly url: string;
  readonly token: string;
}

// The loopback is not to be asked through a proxy, whatever this machine has set.
process.env.NO_PROXY = process.env.no_proxy = "127.0.0.1";

let requests = 0;
const send = globalThis.fetch;
globalThis.fetch = Object.assign(
  (...args: Parameters<typeof fetch>) => {
    requests++;
    return send(...args);
  },
  { preconnect: send.preconnect },
);

/** Asks in one round trip: what is asked of the scope before anything is waited for is one HTTP batch. */
export function inOneBatch<T>(caller: Caller, ask: (scope: Scope) => Promise<T>): Promise<T> {
  return ask(typed(batch(asCli(caller)).scope));
}

/** What `work` gave, and how many HTTP requests left this process meanwhile. */
export async function counted<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly requests: number }> {
  const before = requests;
  const value = await work();
  return { value, requests: requests - before };
}

/** A WebSocket, on which calls and answers flow until it is closed. */
export function openSession(caller: Caller): { readonly scope: Scope; close(): void } {
  const { scope, close } = connect(asCli(caller));
  return { scope: typed(scope), close };
}

function asCli({ url, token }: Caller): ConnectOptions {
  return { url, as: { connectionFromCli: token } };
}

function typed(scope: RemoteScope): Scope {
  return scope as unknown as Scope;
}
