// Neighbours that answer what the test says, and a carrier that asks them.

import type { Message } from "@capstan/orchestrator";
import type { CarriedCall } from "../../registry/elsewhere.ts";
import { forwarder } from "./forward.ts";
import type { Neighbour, PathTo } from "./neighbour.ts";

export const REQUEST = Buffer.alloc(16, 7).toString("base64url");

type Answer = (message: Message, options: object) => unknown;

export class Fake implements Neighbour {
  ended = false;
  readonly asked: [Message, object][] = [];
  /** The verbs of what was sent at once, whatever of the log is durable. */
  readonly sentAtOnce: string[] = [];

  constructor(
    readonly name: string,
    readonly answer: Answer = () => ({ execution: "x-1KJMMA2G0E0J38R2", output: name }),
  ) {}

  async call(message: Message, options: object, owed = false): Promise<unknown> {
    this.asked.push([message, options]);
    if (owed) this.sentAtOnce.push(message.action);
    return this.answer(message, options);
  }
}

/** Its paths are those of its neighbours, best first. */
export function flipping(neighbours: Record<string, Fake>) {
  return forwarder({
    now: () => 0,
    pathsOf: () => Object.keys(neighbours).map((peer) => ({ peer, origin: peer })),
    neighbour: (node) => neighbours[node],
  });
}

/** By default each neighbour has it itself. */
export function asking(
  neighbours: Record<string, Fake>,
  paths: readonly (string | undefined | PathTo)[] = Object.keys(neighbours),
  unknown: string[] = [],
) {
  const path = (one: string | undefined | PathTo): PathTo =>
    typeof one === "object" ? one : { peer: one, origin: one ?? "n-a" };
  const carrier = forwarder({
    now: () => 1000,
    pathsOf: (route) => (route === "action:greet" ? paths.map(path) : []),
    neighbour: (node) => neighbours[node],
    unknown: (node) => void unknown.push(node),
  });
  const call: CarriedCall = {
    ...{ name: "greet", input: { a: 1 }, publication: undefined, key: "m-1", anew: "x-1.2", deadline: undefined },
    ...{ correlation: undefined, traceparent: undefined, via: [], hops: 0, again: undefined, open: [] },
    ...{ request: REQUEST, until: 2000, origin: undefined, only: false, address: undefined },
    ...{ repeatable: undefined, digest: undefined },
    asks: async () => {},
    signal: new AbortController().signal,
  };
  return {
    perform: (more: Partial<CarriedCall> = {}) => carrier.perform({ ...call, ...more }),
    describe: () => carrier.describe(call),
  };
}

export const nthCall = (fake: Fake, nth = 0) => fake.asked[nth] as [Message, object];
