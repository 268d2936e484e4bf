// How many calls of one peer, and of all of them, may be open.

import { afterEach, describe, expect, test } from "bun:test";
import { memoryLog } from "@capstan/orchestrator";
import { reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { recording, startWithWays } from "../../executor/elsewhere/elsewhere.fixture.ts";
import { executionTable, recallTable } from "../../executor/schema.ts";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { type PeerNode, peered, startNode, until } from "../peers.fixture.ts";
import { asking, Fake } from "./forward.fixture.ts";
import { MOST_CALLS, MOST_CALLS_IN_ALL, openCalls, tooMany } from "./open-calls.ts";

describe("over real sessions, with a limit of two", () => {
  const nodes: PeerNode[] = [];
  afterEach(() => Promise.all(nodes.splice(0).map(({ server }) => server.stop())));

  async function start(...[options]: Parameters<typeof startNode>): Promise<PeerNode> {
    const node = await startNode(options);
    nodes.push(node);
    return node;
  }

  test("a peer's third is not begun, here or elsewhere, and is counted; what it asks again is not held up", async () => {
    const go = Promise.withResolvers<string>();
    const begun: unknown[] = [];
    const [second, third] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const held = protocol("held", ({ input }) => {
      begun.push(input);
      if (begun.length >= 2) (begun.length === 2 ? second : third).resolve();
      return go.promise;
    });
    const a = await start({ id: "n-a" });
    const [b, d] = [await start({ id: "n-b", protocols: [held] }), await start({ id: "n-d", protocols: [held] })];
    await d.app.action.register({ name: "greet", protocol: "held" });
    await b.app.action.register({ name: "here", protocol: "held" });
    await Promise.all([peered(b, d), peered(a, b)]);
    const way = () => until(async () => (await a.app.route.show({ route: "action:greet" })).paths.length > 0);
    await way();
    await b.app.peer.configure({ name: "n-a", limits: { calls: 2 } });
    const perform = (node: PeerNode, input: number, name = "greet") => node.app.action.perform({ name, input });
    const open = async () => ((await b.app.peer.show({ name: "n-a" })) as { calls: number }).calls;

    // One is done at n-b, and one is handed on.
    const asked = [perform(a, 1), perform(a, 2, "here")];
    await second.promise;
    for (const name of ["greet", "here"])
      expect(await faultFrom(perform(a, 0, name))).toMatchObject({
        code: "PEER_CALLS_EXCEEDED",
        message: `n-b: ${name}: 2 calls of n-a are not over, and no more are taken; let some end, or cancel them, and ask again`,
      });
    // What n-b asks itself is no peer's.
    asked.push(perform(b, 3));
    await third.promise;
    expect(await open()).toBe(2);

    // Whoever is told nothing asks again, by the same keys: these are no new ones.
    const told = Promise.all(asked.slice(0, 2).map((one) => faultFrom(one)));
    await a.app.peer.stop({ name: "n-b", now: true });
    expect((await told).map(({ code }) => code)).toEqual(["EXECUTION_AMBIGUOUS", "EXECUTION_AMBIGUOUS"]);
    await a.app.peer.start({ name: "n-b" });
    const state = (name: string) => async () =>
      (await a.app.execution.list({ state: name } as never)).items.length === 2;
    await until(state("running"));
    go.resolve("done");
    await until(state("done"));
    expect(await asked[2]).toMatchObject({ output: "done" });
    await way();
    expect(await perform(a, 6)).toMatchObject({ output: "done" });
    expect([begun.toSorted(), await open()]).toEqual([[1, 2, 3, 6], 0]);
    const { messages } = (await b.app.node.metrics({})) as { messages: { name: string; verdicts: object }[] };
    expect(messages.find(({ name }) => name === "action.perform")?.verdicts).toMatchObject({ PEER_CALLS_EXCEEDED: 2 });
  });
});

test("it counts while it runs, while nobody knows, over a restart, and once cancelled until whoever was asked was told", async () => {
  const log = memoryLog();
  const carrier = recording(() => new Promise(() => {}));
  const first = await startWithWays({ carrier, log });
  await first.learn("greet");
  const allow = ["action.perform"];
  const lent = { principal: "peer.berlin", allow, under: "node", by: "app" };
  const { grant } = (await first.runtime.note({ resource: "grant", action: "lend", data: lent })) as { grant: string };
  const as = { principal: "peer.berlin", grant };
  const message = { resource: "action", action: "perform", data: { name: "greet" } };
  const { execution: id } = (await first.runtime.apply(message, as, { wait: 0 }, { via: ["n-z", "n-y"], hops: 2 })) as {
    execution: string;
  };
  await first.app.action.perform({ name: "greet" }, { wait: 0 });
  const counts = ({ hub }: typeof first) =>
    [{ principal: "peer.berlin", node: "n-y" }, { principal: "peer.osaka", node: "n-z" }, undefined].map((of) =>
      openCalls(hub.reader, of),
    );
  expect(counts(first)).toEqual([1, 0, 1]);
  const second = await startWithWays({ carrier, log: reopened(log), clock: first.clock });
  expect([second.hub.reader.get(executionTable, id)?.state, counts(second)]).toEqual(["ambiguous", [1, 0, 1]]);
  await second.app.execution.cancel({ id });
  expect(second.hub.reader.get(recallTable, id)).toMatchObject({ nodes: ["n-b"] });
  expect(counts(second)).toEqual([1, 0, 1]);
  await second.runtime.note({ resource: "execution", action: "recalled", data: { execution: id, node: "n-b" } });
  expect(counts(second)).toEqual([0, 0, 0]);
  await second.hub.stop();
});

describe("one too many", () => {
  const call = { id: "m-1KJMMA2G0E0J38R2", principal: "peer.berlin", via: ["n-z", "n-a"] };
  /** One of each is cancelled. */
  const state = (of: number, all: number, row: object | undefined = { action: "greet" }) =>
    ({
      get: (_: unknown, id: string) => (id === "x-1KJMMA2G0E0J38R2" ? row : undefined),
      count: (table: unknown, group?: string) => (table === recallTable ? 1 : (group === "peer.berlin" ? of : all) - 1),
    }) as unknown as Parameters<typeof tooMany>[0];
  const text = (rows: ReturnType<typeof state>, peer?: number, all?: number) =>
    tooMany(rows, call, { peer, all })?.message;

  test("is what comes after as many as the peer may, or all may", () => {
    expect(text(state(3, 5), 3, 5)).toBeUndefined();
    expect(text(state(4, 5), 3, 5)).toContain("greet: 3 calls of berlin are");
    expect(text(state(3, 6), 3, 5)).toContain("greet: 5 calls of peers are");
    expect(text(state(MOST_CALLS, MOST_CALLS_IN_ALL))).toBeUndefined();
    expect(text(state(MOST_CALLS + 1, MOST_CALLS + 1))).toContain("10000 calls of berlin");
    expect(text(state(1, MOST_CALLS_IN_ALL + 1))).toContain("50000 calls of peers");
  });

  test("is nothing that joins another, and so has no row", () => {
    expect(tooMany({ ...state(9, 9), get: () => undefined }, call, { peer: 1, all: 1 })).toBeUndefined();
  });
});

test("a neighbour that takes no more has done nothing: the next way is asked", async () => {
  const full = new Fake("berlin", () => {
    throw Object.assign(new Error("no more"), { code: "PEER_CALLS_EXCEEDED" });
  });
  const { perform } = asking({ "n-b": full, "n-c": new Fake("cairo") });
  expect(await perform()).toMatchObject({ output: "cairo", via: "cairo" });
});
