// A refusal whose answer was lost on the way is learned by asking again, over every node between: whoever refused says so again, and that it is
// for good, since nothing was accepted by that key. Where something was, a refusal of who asks now tells nothing.

import { afterEach, describe, expect, test } from "bun:test";
import { FaultError, fault, forwardedBy } from "@capstan/orchestrator";
import { recording, startWithWays } from "../../executor/elsewhere/elsewhere.fixture.ts";
import { Clock, faultFrom, protocol } from "../../hub.fixture.ts";
import { everything, keepSecret, only, pairSecret, startNode, until } from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import { forwarder } from "./forward.ts";
import type { Neighbour } from "./neighbour.ts";

type Node = Awaited<ReturnType<typeof startWithWays>>;
type As = { principal: string; grant: string };

let nodes: Node[] = [];

afterEach(async () => {
  await Promise.all(nodes.map(({ hub }) => hub.stop()));
  nodes = [];
});

/** A neighbour whose answers are lost when the test says so: its session ends, and there is another. */
class Lossy implements Neighbour {
  ended = false;
  loses = 0;
  asked = 0;

  constructor(
    readonly name: string,
    readonly ask: Neighbour["call"],
  ) {}

  call: Neighbour["call"] = async (message, options) => {
    this.asked++;
    const came = this.ask(message, options);
    if (this.loses-- <= 0) return came;
    await came.catch(() => {});
    this.ended = true;
    setImmediate(() => {
      this.ended = false;
    });
    throw new Error("connection lost");
  };
}

/** Who asks a node in the name of `by`. */
const asker = (node: Node, as: () => As, by: string): Neighbour["call"] => {
  return (message, said) => node.runtime.apply(message, as(), said, forwardedBy(by, node.runtime.node.id, said));
};

async function start(options: Parameters<typeof startWithWays>[0]): Promise<Node> {
  const node = await startWithWays(options);
  nodes.push(node);
  return node;
}

const leading = (neighbours: Record<string, Neighbour>, now = () => 0) =>
  forwarder({
    now,
    pathsOf: () => Object.keys(neighbours).map((peer) => ({ peer, origin: "n-d" })),
    neighbour: (node) => neighbours[node],
  });

/** n-a over n-b to n-d, where whoever comes over n-b may perform `allow`. */
async function chain(allow: readonly string[]) {
  const runs: unknown[] = [];
  const greet = protocol("greet", ({ input }) => {
    runs.push(input);
    return runs.length;
  });
  const d = await start({ id: "n-d", protocols: [greet] });
  await d.app.action.register({ name: "greet", protocol: "greet" });
  let b_at_d = await d.app.grant.create({ principal: "by-b", allow: allow as string[] });
  const toD = new Lossy(
    "delhi",
    asker(d, () => b_at_d, "n-b"),
  );
  const b = await start({ id: "n-b", carrier: leading({ "n-d": toD }) });
  await b.learn("greet", { node: "n-d", origin: "n-d" });
  const a_at_b = await b.app.grant.create({ principal: "by-a", allow: ["action.perform"] });
  const toB = new Lossy(
    "berlin",
    asker(b, () => a_at_b, "n-a"),
  );
  const a = await start({ id: "n-a", carrier: leading({ "n-b": toB }) });
  await a.learn("greet", { node: "n-b", origin: "n-d" });
  const perform = () => faultFrom(a.app.action.perform({ name: "greet", input: 7 }));
  const open = async (node: Node) => {
    const { items } = (await node.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
    return items.map(({ id }) => id);
  };
  /** As each does by itself (ask-again.ts). */
  const retry = async (node: Node) => node.app.execution.retry({ id: (await open(node))[0] as string });
  const again = (node: Node) => faultFrom(retry(node));
  const regrant = async (may: readonly string[]): Promise<void> => {
    await d.app.grant.revoke({ grant: b_at_d.grant });
    b_at_d = await d.app.grant.create({ principal: "by-b", allow: may as string[] });
  };
  return { a, b, d, toB, toD, runs, perform, open, retry, again, regrant };
}

const NOT = ["action.perform:other"];

describe("a refusal", () => {
  test("whose answer was lost on the last link is what became of it, all the way", async () => {
    const { a, b, toD, perform, open, again, runs } = await chain(NOT);
    toD.loses = 1;
    expect(await perform()).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    expect(await again(b)).toMatchObject({ code: "REFUSED", details: { peer: { node: "n-d" } } });
    const told = await again(a);
    expect(told).toMatchObject({ code: "REFUSED", details: { peer: { node: "n-b", peer: { node: "n-d" } } } });
    // Whose last word it was is between nodes.
    expect(JSON.stringify(told.details)).not.toContain("final");
    expect([await open(a), await open(b), runs]).toEqual([[], [], []]);
  });

  test("whose answer was lost on the first link: the node between says what it was told, and asks nobody again", async () => {
    const { a, b, toB, toD, perform, open, again } = await chain(NOT);
    toB.loses = 1;
    expect(await perform()).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    expect(await again(a)).toMatchObject({ code: "REFUSED" });
    expect([toD.asked, await open(a), await open(b)]).toEqual([1, [], []]);
  });

  test("of who asks by now tells nothing of what was accepted before", async () => {
    const { a, b, toD, perform, open, retry, again, regrant, runs } = await chain(["action.perform"]);
    toD.loses = 1;
    expect(await perform()).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    await regrant(NOT);
    expect([await again(b), await again(a)]).toMatchObject([
      { code: "EXECUTION_AMBIGUOUS" },
      { code: "EXECUTION_AMBIGUOUS" },
    ]);
    expect([(await open(a)).length, (await open(b)).length]).toEqual([1, 1]);
    await regrant(["action.perform"]);
    for (const node of [b, a]) expect(await retry(node)).toMatchObject({ output: 1 });
    expect(runs).toEqual([7]);
  });

  test("is of a call that never arrived as well; and what is let in by then is done, once", async () => {
    const { a, b, toD, perform, retry, regrant, runs } = await chain(NOT);
    // The call itself is lost.
    const { ask } = toD;
    Object.assign(toD, { ask: () => Promise.reject(new Error("lost")) });
    toD.loses = 1;
    expect(await perform()).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    Object.assign(toD, { ask });
    await regrant(["action.perform"]);
    for (const node of [b, a]) expect(await retry(node)).toMatchObject({ output: 1 });
    expect(runs).toEqual([7]);
  });
});

test("it is said over a session to whoever hands on, and to nobody else", async () => {
  const osaka = await startNode({ id: "n-osaka" });
  await osaka.app.peer.add({
    ...{
      name: "raw",
      node: "n-raw",
      keys: [rawIdentity("n-raw").publicKey],
      import: everything,
      export: only("action:x"),
    },
    secrets: [keepSecret("LAST_WORD", pairSecret("raw"))] as never,
  });
  const raw = new RawPeer({ id: "n-raw", url: osaka.url, node: osaka.id, key: osaka.key, secret: pairSecret("raw") });
  try {
    const ask = await until(() => raw.link?.ask);
    const message = { resource: "action", action: "perform", data: { name: "greet" } };
    const request = Buffer.alloc(16, 7).toString("base64url");
    const details = (options: object) => ask(message, options).catch((thrown: { details?: unknown }) => thrown.details);
    expect(await details({ key: "k", request, via: [], hops: 1 })).toEqual({ final: true });
    expect(await details({ key: "k", via: [], hops: 1 })).toBeUndefined();
    expect(await details({ key: "k" })).toBeUndefined();
  } finally {
    raw.close();
    await osaka.server.stop();
  }
});

test("what a node between had no way for is known to have come to nothing, and others may do it", async () => {
  const { a, b, toB, perform, again, open } = await chain(["action.perform"]);
  await b.forget("greet");
  toB.loses = 1;
  expect(await perform()).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
  expect(await again(a)).toMatchObject({ code: "ACTION_UNREACHABLE" });
  expect(await open(a)).toEqual([]);
});

test("what failed there before its answer was lost is told as it would have been", async () => {
  const carrier = recording(() => Promise.reject(Object.assign(new Error("odd"))));
  const b = await start({ id: "n-b", carrier });
  await b.learn("greet", { node: "n-d", origin: "n-d" });
  const as = await b.app.grant.create({ principal: "by-a", allow: ["action.perform"] });
  const toB = new Lossy(
    "berlin",
    asker(b, () => as, "n-a"),
  );
  const a = await start({ id: "n-a", carrier: leading({ "n-b": toB }) });
  await a.learn("greet", { node: "n-b", origin: "n-d" });
  toB.loses = 1;
  const lost = await faultFrom(a.app.action.perform({ name: "greet" }));
  expect(lost.code).toBe("EXECUTION_AMBIGUOUS");
  const { items } = (await a.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
  const told = await faultFrom(a.app.execution.retry({ id: items[0]?.id as string }));
  expect([told.code, carrier.calls.length]).toEqual(["ACTION_FAILED", 1]);
});

test("whoever has forgotten it by then does it for no retry, however often, and tells nothing by what it says instead", async () => {
  let runs = 0;
  const greet = protocol("greet", () => ++runs);
  const clock = new Clock();
  const far = async (): Promise<Neighbour["call"]> => {
    const d = await start({ id: "n-d", protocols: [greet], clock });
    await d.app.action.register({ name: "greet", protocol: "greet" });
    const as = await d.app.grant.create({ principal: "by-a", allow: ["action.perform"] });
    return asker(d, () => as, "n-a");
  };
  const calls: { ask: Neighbour["call"] } = { ask: await far() };
  const toD = new Lossy("delhi", (...asked) => calls.ask(...asked));
  const a = await start({ id: "n-a", carrier: leading({ "n-d": toD }, clock.now), clock });
  await a.learn("greet", { node: "n-d", origin: "n-d" });
  toD.loses = 1;
  expect(await faultFrom(a.app.action.perform({ name: "greet" }))).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
  clock.advance(25 * 3_600_000);
  // Compacted: its log begins behind it, and its keys with it.
  calls.ask = await far();
  const { items } = (await a.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
  const id = items[0]?.id as string;
  for (let times = 0; times < 3; times++)
    expect(await faultFrom(a.app.execution.retry({ id }))).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
  expect([runs, toD.asked]).toEqual([1, 4]);
});

test("of what was tried again where it failed, every fault is told as the execution's", async () => {
  const wrong = protocol("wrong", () => {
    throw new FaultError(fault("ACTION_UNREACHABLE", "thrown on after its work"));
  });
  const d = await start({ id: "n-d", protocols: [wrong] });
  await d.app.action.register({ name: "greet", protocol: "wrong" });
  const as = await d.app.grant.create({ principal: "by-a", allow: ["action.perform"] });
  const request = Buffer.alloc(16, 7).toString("base64url");
  const perform = { resource: "action", action: "perform", data: { name: "greet" } };
  const ask = () => faultFrom(d.runtime.apply(perform, as, { key: "k" }, { via: ["n-a"], hops: 1, request }));
  const { execution } = (await ask()).details as { execution: string };
  await faultFrom(d.app.execution.retry({ id: execution }));
  expect((await ask()).details).toEqual({ execution, final: true });
});
