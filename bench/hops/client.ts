// Who asks: one capnweb client with a WebSocket to each node. It performs what it is told to, one after another or so many at once.

import { newWebSocketRpcSession } from "capnweb";
import { cpuMicros } from "../kernel/machine.ts";
import { answering } from "../kernel/worker.ts";

export interface Address {
  readonly url: string;
  readonly token: string;
}

/** An action, and the number of the connection over which it is asked for. */
export interface Asked {
  readonly connection: number;
  readonly action: string;
}

/** Performed in turn, one at a time: what is compared has met the same machine. */
export interface InTurn {
  readonly asked: readonly Asked[];
  readonly turns: number;
}

export interface Load extends Asked {
  readonly inFlight: number;
  readonly ms: number;
}

export interface Loaded {
  readonly calls: number;
  readonly ms: number;
  /** Microseconds of this process's CPU. */
  readonly cpu: number;
}

interface Scope {
  readonly action: { perform(data: unknown): Promise<unknown> };
}

const scopes: Scope[] = [];
const ORDER = { number: 7, item: "a crate of oranges", tags: ["fruit", "fresh"] };

async function connect({ url, token }: Address): Promise<number> {
  const api = newWebSocketRpcSession(url.replace(/^http/, "ws")) as unknown as {
    connectionFromCli(token: string): Promise<Scope>;
  };
  return scopes.push(await api.connectionFromCli(token)) - 1;
}

function perform({ connection, action }: Asked): Promise<unknown> {
  return (scopes[connection] as Scope).action.perform({ name: action, input: ORDER });
}

/** The median milliseconds of each of those asked, in their order. */
async function inTurn({ asked, turns }: InTurn): Promise<readonly number[]> {
  const took = asked.map((): number[] => []);
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, one] of asked.entries()) {
      const start = performance.now();
      await perform(one);
      (took[i] as number[]).push(performance.now() - start);
    }
  }
  return took.map((all) => all.sort((a, b) => a - b)[all.length >> 1] as number);
}

async function load({ inFlight, ms, ...asked }: Load): Promise<Loaded> {
  let calls = 0;
  const cpu = cpuMicros();
  const start = performance.now();
  const end = start + ms;
  async function one(): Promise<void> {
    while (performance.now() < end) {
      await perform(asked);
      calls++;
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one));
  return { calls, ms: performance.now() - start, cpu: cpuMicros() - cpu };
}

answering({ connect, inTurn, load, cpu: cpuMicros });
