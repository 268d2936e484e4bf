// What becomes of a performing whose way breaks after it was asked, over real sessions: another way to the same node joins it there,
// what may be done twice goes to whoever else does it, and nothing else is ever done twice.

import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { complete, type PeerNode, peered, startNode, until } from "../peers.fixture.ts";

let nodes: PeerNode[] = [];

afterEach(async () => {
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
});

/** Runs that wait until they are let go, and are counted. */
function held(where: string) {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const runs: unknown[] = [];
  let aborted = 0;
  return {
    runs,
    begun: begun.promise,
    go: () => go.resolve(),
    aborted: () => aborted,
    protocol: protocol("held", async ({ input, signal }) => {
      runs.push(input);
      signal.addEventListener("abort", () => aborted++);
      begun.resolve();
      await Promise.race([
        go.promise,
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      ]);
      return where;
    }),
  };
}

type Held = ReturnType<typeof held>;

async function start(id: string, far?: Held, more: { directory?: string; listen?: string } = {}): Promise<PeerNode> {
  const node = await startNode({ id, protocols: far === undefined ? [] : [far.protocol], ...more });
  nodes.push(node);
  return node;
}

const ways = async (node: PeerNode, count: number): Promise<void> => {
  await until(async () => (await node.app.route.show({ route: "action:greet" })).paths.length === count);
};

const running = async (node: PeerNode, state = "running"): Promise<readonly { id: string; message: string }[]> =>
  ((await node.app.execution.list({ state } as never)) as { items: { id: string; message: string }[] }).items;

const idle = (node: PeerNode) => until(async () => (await running(node)).length === 0);

const entries = async (node: PeerNode, message: string): Promise<number> =>
  (await node.app.log.list({ message } as never)).items.length;

/** a over b, or over c, to d. */
async function diamond(action: object = {}) {
  const far = held("d");
  const [a, b, c, d] = [await start("n-a"), await start("n-b"), await start("n-c"), await start("n-d", far)];
  await d.app.action.register({ name: "greet", protocol: "held", ...action });
  for (const middle of [b, c]) {
    await peered(a, middle);
    await peered(middle, d);
  }
  await ways(a, 2);
  return { a, b, c, d, far };
}

describe("a session that dies after it was asked", () => {
  test.each([
    ["what may be done once", {}],
    ["what may be done twice", { idempotent: true }],
  ])("%s is asked by another way to the same node, and joins there", async (_, action) => {
    const { a, b, d, far } = await diamond(action);
    const asked = a.app.action.perform({ name: "greet", input: 1 });
    await far.begun;
    await a.app.peer.stop({ name: "n-b", now: true });
    // It has come by the other way as well.
    await until(() => d.messages.filter((one) => one === "peer.n-b action.perform").length > 0);
    far.go();
    expect(await asked).toMatchObject({ output: "d", via: "n-c" });
    expect(far.runs).toEqual([1]);
    expect(await entries(d, "action.perform")).toBe(1);
    // Whom it is asked was noted before.
    expect(await entries(a, "execution.ask")).toBe(1);
    await b.app.execution.list({});
  });

  test("in the middle, whoever is there asks by another way himself, and his caller hears nothing of it", async () => {
    const far = held("d");
    const [a, b, c, d] = [await start("n-a"), await start("n-b"), await start("n-c"), await start("n-d", far)];
    await d.app.action.register({ name: "greet", protocol: "held" });
    await peered(a, b);
    await peered(b, d);
    await peered(b, c);
    await peered(c, d);
    await ways(b, 2);
    await ways(a, 1);
    const asked = a.app.action.perform({ name: "greet", input: 1 });
    await far.begun;
    await b.app.peer.stop({ name: "n-d", now: true });
    far.go();
    expect(await asked).toMatchObject({ output: "d", via: "n-b" });
    expect(far.runs).toEqual([1]);
  });

  test("another provider is asked at once where both promise that this does no harm, and never else", async () => {
    for (const [idempotent, code] of [
      [true, undefined],
      [false, "EXECUTION_AMBIGUOUS"],
    ] as const) {
      const [b, c] = [held("b"), held("c")];
      const near = await start(`n-a-${idempotent}`);
      const providers = [await start(`n-b-${idempotent}`, b), await start(`n-c-${idempotent}`, c)] as const;
      for (const one of providers) {
        await one.app.action.register({ name: "greet", protocol: "held", idempotent });
        await peered(near, one);
      }
      await ways(near, 2);
      const asked = near.app.action.perform({ name: "greet" }).then(
        ({ output }) => output,
        ({ code }: { code: string }) => code,
      );
      const first = await Promise.race([b.begun.then(() => 0), c.begun.then(() => 1)]);
      await near.app.peer.stop({ name: (providers[first] as PeerNode).id, now: true });
      if (idempotent) await (first === 0 ? c : b).begun;
      else await asked;
      for (const one of [b, c]) one.go();
      expect(await asked).toBe(code ?? ["c", "b"][first]);
      expect(b.runs.length + c.runs.length).toBe(idempotent ? 2 : 1);
    }
  });

  test("a neighbour that has no way any more says so, and the next one is asked", async () => {
    const { a, b, far } = await diamond();
    far.go();
    // Its own way is gone, and it has not told yet.
    const gone = b.app.peer.stop({ name: "n-d", now: true });
    const outputs = await Promise.all([1, 2, 3].map((input) => a.app.action.perform({ name: "greet", input })));
    await gone;
    expect(outputs.map(({ output }) => output)).toEqual(["d", "d", "d"]);
    expect([...far.runs].sort()).toEqual([1, 2, 3]);
  });

  test("nobody else may be asked: when the neighbour is back it is asked by itself what became of it", async () => {
    const far = held("b");
    const [a, b] = [await start("n-a"), await start("n-b", far)];
    await b.app.action.register({ name: "greet", protocol: "held" });
    await peered(a, b);
    await ways(a, 1);
    const lost = faultFrom(a.app.action.perform({ name: "greet" }));
    await far.begun;
    await a.app.peer.stop({ name: "n-b", now: true });
    expect((await lost).code).toBe("EXECUTION_AMBIGUOUS");
    const { items } = (await a.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
    const id = (items[0] as { id: string }).id;
    far.go();
    await a.app.peer.start({ name: "n-b" });
    await complete(a, "n-b");
    await until(async () => ((await a.app.execution.show({ id })) as { state: string }).state === "done");
    expect(await a.app.execution.show({ id })).toMatchObject({ output: "b" });
    expect(far.runs).toHaveLength(1);
    expect(await entries(a, "execution.again")).toBe(1);
  });
});

test("what an origin promises is known where it leads, and changes with it", async () => {
  const [a, b] = [await start("n-a"), await start("n-b", held("b"))];
  await b.app.action.register({ name: "greet", protocol: "held" });
  await peered(a, b);
  const promised = async (): Promise<unknown> =>
    (await a.app.action.list()).items.find(({ name }) => name === "greet")?.elsewhere?.repeatable;
  await ways(a, 1);
  expect(await promised()).toBeUndefined();
  await b.app.action.update({ name: "greet", idempotent: true });
  await until(async () => (await promised()) === "idempotent");
  await b.app.action.update({ name: "greet", readOnly: true });
  await until(async () => (await promised()) === "read-only");
  await b.app.action.update({ name: "greet", readOnly: false, idempotent: false });
  await until(async () => (await promised()) === undefined);
});

async function cancelAt(node: PeerNode, state = "running"): Promise<void> {
  const [one] = await running(node, state);
  await node.app.execution.cancel({ id: one?.id as string });
}

describe("a cancelling", () => {
  test("goes to where it runs, over every node between", async () => {
    const far = held("c");
    const [a, b, c] = [await start("n-a"), await start("n-b"), await start("n-c", far)];
    await c.app.action.register({ name: "greet", protocol: "held" });
    await peered(a, b);
    await peered(b, c);
    await ways(a, 1);
    const cancelled = faultFrom(a.app.action.perform({ name: "greet" }));
    await far.begun;
    await cancelAt(a);
    expect((await cancelled).code).toBe("CANCELLED");
    await until(() => far.aborted() === 1);
    for (const node of [b, c]) await idle(node);
    expect(c.messages).toContain("peer.n-b action.recall");
  });

  test("after another way was taken goes to what runs for the first: by the request, and whoever waits there is told", async () => {
    const { a, b, c, d, far } = await diamond();
    const cancelled = faultFrom(a.app.action.perform({ name: "greet", input: 1 }));
    await far.begun;
    await a.app.peer.stop({ name: "n-b", now: true });
    await until(async () => (await running(c)).length === 1);
    await cancelAt(a);
    expect((await cancelled).code).toBe("CANCELLED");
    await until(() => far.aborted() === 1);
    for (const node of [b, c, d]) await idle(node);
    expect(await entries(b, "action.recall")).toBe(0);
    const { items } = (await a.app.execution.list({ state: "failed" })) as { items: { id: string }[] };
    expect(await a.app.execution.show({ id: items[0]?.id as string })).toMatchObject({ untold: ["n-b"] });
    // Who was asked first, and could not be told then, is told when it can be.
    await a.app.peer.start({ name: "n-b" });
    await until(async () => (await entries(b, "action.recall")) === 1);
    await until(async () => (await entries(a, "execution.recalled")) === 2);
  });

  test("goes to another provider that was asked first as soon as there is a session with it again", async () => {
    const [b, c] = [held("b"), held("c")];
    const near = await start("n-a");
    const providers = [await start("n-b", b), await start("n-c", c)] as const;
    for (const one of providers) {
      await one.app.action.register({ name: "greet", protocol: "held", idempotent: true });
      await peered(near, one);
    }
    await ways(near, 2);
    const cancelled = faultFrom(near.app.action.perform({ name: "greet" }));
    const nth = await Promise.race([b.begun.then(() => 0), c.begun.then(() => 1)]);
    const [first, second] = nth === 0 ? [b, c] : [c, b];
    const name = (providers[nth] as PeerNode).id;
    await near.app.peer.stop({ name, now: true });
    await second.begun;
    await cancelAt(near);
    await cancelled;
    await until(() => second.aborted() === 1);
    expect(first.aborted()).toBe(0);
    await near.app.peer.start({ name });
    await until(() => first.aborted() === 1);
  });

  test("reaches what a node in between had left running when it died", async () => {
    const directory = mkdtempSync(join(tmpdir(), "capstan-cancelling-"));
    try {
      const far = held("c");
      const [a, b, c] = [await start("n-a"), await start("b", undefined, { directory }), await start("n-c", far)];
      await c.app.action.register({ name: "greet", protocol: "held" });
      await peered(a, b);
      await peered(b, c);
      await ways(a, 1);
      const lost = faultFrom(a.app.action.perform({ name: "greet" }));
      await far.begun;
      await b.hub.stop({ graceMs: 0 });
      await b.server.stop();
      expect((await lost).code).toBe("EXECUTION_AMBIGUOUS");
      await cancelAt(a, "ambiguous");
      const again = await start("b", undefined, { directory, listen: new URL(b.url).host });
      await until(() => far.aborted() === 1);
      for (const node of [again, c]) {
        await idle(node);
        expect(await running(node, "ambiguous")).toEqual([]);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("is of what one asked oneself: another peer's key tells nothing, and neither does another action's", async () => {
    const far = held("b");
    const [a, b, e] = [await start("n-a"), await start("n-b", far), await start("n-e")];
    for (const name of ["greet", "other"]) await b.app.action.register({ name, protocol: "held" });
    await peered(a, b);
    await peered(e, b);
    await ways(a, 1);
    const asked = a.app.action.perform({ name: "greet" });
    await far.begun;
    // What a asks b by: the id of its own message.
    const { items } = (await a.app.execution.list({ state: "running" })) as { items: { message: string }[] };
    const under = (items[0] as { message: string }).message;
    for (const [principal, name] of [
      ["peer.n-e", "greet"],
      ["peer.n-a", "other"],
    ] as const) {
      const grant = ((await b.app.peer.show({ name: principal.slice(5) })) as { grant: string }).grant;
      const recall = b.hub.scopeFor({
        call: (route, data, options) => b.hub.hub.submit(route, data, { principal, grant }, options),
      });
      expect(await recall.action.recall({ name, under })).toEqual({ recalled: false });
    }
    far.go();
    expect(await asked).toMatchObject({ output: "b" });
    expect(far.aborted()).toBe(0);
  });
});
