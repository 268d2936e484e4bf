// Sessions that end again and again under load, with a provider one hop away and another two: nothing is lost, nothing runs twice,
// and what nobody knew is known once it is asked again.

import { expect, test } from "bun:test";
import type { FaultError } from "@capstan/orchestrator";
import { protocol } from "../hub.fixture.ts";
import { complete, type PeerNode, peered, startNode, until } from "./peers.fixture.ts";

const CALLERS = 30;
/** Each ends two sessions. More of them, and the routes are damped as flapping ones are. */
const ROUNDS = 2;

interface Open {
  readonly items: readonly { readonly id: string }[];
}

/** Runs that begin while it is shut wait until it is opened. */
class Gate {
  /** Runs since it was shut. */
  held = 0;
  #opened = Promise.withResolvers<void>();

  constructor() {
    this.#opened.resolve();
  }

  shut(): void {
    this.held = 0;
    this.#opened = Promise.withResolvers<void>();
  }

  open(): void {
    this.#opened.resolve();
  }

  pass(): Promise<void> {
    this.held++;
    return this.#opened.promise;
  }
}

test("performings in flight are done once, or ambiguous, and known by the same key afterwards", async () => {
  const runs = new Map<unknown, number>();
  const gate = new Gate();
  const held = protocol("held", async ({ input }) => {
    runs.set(input, (runs.get(input) ?? 0) + 1);
    await gate.pass();
    return input;
  });
  const [a, b, m, c] = await Promise.all([
    startNode({ id: "n-a" }),
    startNode({ id: "n-b", protocols: [held] }),
    startNode({ id: "n-m" }),
    startNode({ id: "n-c", protocols: [held] }),
  ]);
  try {
    for (const provider of [b, c]) await provider.app.action.register({ name: "count", protocol: "held" });
    await peered(a, b);
    await peered(a, m);
    await peered(m, c);
    await until(async () => (await a.app.route.show({ route: "action:count" })).paths.length === 2);
    const ended = new Map<number, string>();
    let asked = 0;
    let over = false;
    const caller = async (): Promise<void> => {
      while (!over) {
        const input = asked++;
        const came = await a.app.action.perform({ name: "count", input }).then(
          ({ output }) => (output === input ? "done" : "another's output"),
          (thrown: FaultError) => thrown.code,
        );
        ended.set(input, came);
      }
    };
    const callers = Array.from({ length: CALLERS }, caller);
    const again = async (node: PeerNode, name: string): Promise<void> => {
      await node.app.peer.start({ name });
      await complete(node, name);
    };
    for (let round = 0; round < ROUNDS; round++) {
      gate.shut();
      await until(() => gate.held >= CALLERS);
      // All are one hop away: each is lost, and its caller's next goes the long way.
      await a.app.peer.stop({ name: "n-b", now: true });
      await until(() => gate.held >= 2 * CALLERS);
      await again(a, "n-b");
      // Those as well, at either end of that way.
      const [node, name] = round % 2 === 0 ? ([m, "n-c"] as const) : ([a, "n-m"] as const);
      await node.app.peer.stop({ name, now: true });
      await until(() => gate.held >= 3 * CALLERS);
      gate.open();
      const soFar = asked;
      await until(() => asked > soFar + CALLERS);
      await again(node, name);
    }
    over = true;
    await Promise.all(callers);

    const outcomes = Map.groupBy(ended.values(), (came) => came);
    expect(outcomes.get("done")?.length).toBeGreaterThan(ROUNDS * CALLERS);
    expect(outcomes.get("EXECUTION_AMBIGUOUS")?.length).toBe(2 * ROUNDS * CALLERS);
    expect([...outcomes.keys()].filter((came) => !["done", "EXECUTION_AMBIGUOUS"].includes(came))).toEqual([]);
    // From the far end on: the one in the middle has to know before it can tell.
    for (const node of [m, a]) {
      const { items } = (await node.app.execution.list({ state: "ambiguous", limit: 1000 })) as Open;
      for (const { id } of items) expect(await node.app.execution.retry({ id })).toHaveProperty("output");
    }
    expect([...runs.values()].filter((times) => times !== 1)).toEqual([]);
    expect(runs.size).toBe(asked);
  } finally {
    gate.open();
    await Promise.all([a, b, m, c].map(({ server }) => server.stop()));
  }
}, 60_000);
