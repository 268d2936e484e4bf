// The load: one capnweb client over one WebSocket a server, the same for ours and for the anchor. It keeps a number of calls
// in flight and counts those that were answered.

import { newWebSocketRpcSession } from "capnweb";
import { echoAction } from "./bench-plugin.ts";
import { flushMillis } from "./flush.ts";
import { cpuMicros } from "./machine.ts";
import { answering } from "./worker.ts";

export type Call = "echo" | "query" | "perform";

export interface Address {
  readonly url: string;
  /** Of an orchestrator: its administrator's credential. */
  readonly token?: string;
}

export interface Load {
  /** A connection's number, as `connect` gave it. */
  readonly connection: number;
  readonly call: Call;
  readonly inFlight: number;
  readonly ms: number;
}

export interface Loaded {
  readonly calls: number;
  readonly ms: number;
  /** Microseconds of CPU. */
  readonly cpu: number;
  /** Median milliseconds from asking to being answered. */
  readonly latency: number;
}

type Method = (data: unknown) => Promise<unknown>;

interface Remote {
  readonly echo: Method & { readonly get: Method };
  readonly action: { readonly register: Method; readonly perform: Method };
  connectionFromCli(token: string): Remote;
}

const connections: Remote[] = [];

async function connect({ url, token }: Address): Promise<number> {
  const api = newWebSocketRpcSession(url.replace(/^http/, "ws")) as unknown as Remote;
  if (token === undefined) return connections.push(api) - 1;
  const scope = await api.connectionFromCli(token);
  await scope.action.register(echoAction);
  return connections.push(scope) - 1;
}

function caller(remote: Remote, call: Call): (order: unknown) => Promise<unknown> {
  switch (call) {
    case "echo":
      return (order) => remote.echo(order);
    case "query":
      return (order) => remote.echo.get(order);
    case "perform":
      return (order) => remote.action.perform({ name: echoAction.name, input: order });
    default:
      return call satisfies never;
  }
}

async function load({ connection, call, inFlight, ms }: Load): Promise<Loaded> {
  const ask = caller(connections[connection] as Remote, call);
  const latencies: number[] = [];
  const cpu = cpuMicros();
  const start = performance.now();
  const end = start + ms;
  async function one(): Promise<void> {
    for (let now = performance.now(); now < end; ) {
      await ask({ number: latencies.length, item: "a crate of oranges", tags: ["fruit", "fresh"] });
      const answered = performance.now();
      latencies.push(answered - now);
      now = answered;
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one));
  const took = performance.now() - start;
  const used = cpuMicros() - cpu;
  return {
    calls: latencies.length,
    ms: took,
    cpu: used,
    latency: latencies.sort((a, b) => a - b)[latencies.length >> 1] ?? 0,
  };
}

function flush(directory: string): { readonly millis: number; readonly cpu: number } {
  const cpu = cpuMicros();
  return { millis: flushMillis(directory), cpu: cpuMicros() - cpu };
}

answering({ connect, load, flush });
