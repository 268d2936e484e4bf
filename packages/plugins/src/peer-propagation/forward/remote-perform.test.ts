// Performing what is elsewhere, over real sessions: one hop and two, each node its own administration.

import { afterEach, describe, expect, test } from "bun:test";
import type { Protocol } from "../../executor/protocol.ts";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { allOut, complete, LongTimers, only, type PeerNode, peered, startNode, until } from "../peers.fixture.ts";

let nodes: PeerNode[] = [];

async function start(id: string, ...protocols: Protocol[]): Promise<PeerNode> {
  const node = await startNode({ id, protocols });
  nodes.push(node);
  return node;
}

afterEach(async () => {
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
});

/** Counts its runs, and says where it ran. */
function counting(where: string) {
  const runs: unknown[] = [];
  return {
    runs,
    protocol: protocol("counting", ({ input }) => {
      runs.push(input);
      if ((input as { name?: string } | undefined)?.name === "nobody") throw new Error("there is nobody");
      return { where, nth: runs.length };
    }),
  };
}

interface Ended {
  readonly state: string;
}

/** Whether a node knows the way to an action. */
function known(node: PeerNode, name: string): Promise<unknown> {
  return until(async () => (await node.app.action.list()).items.find((item) => item.name === name));
}

function gone(node: PeerNode, name: string): Promise<unknown> {
  return until(async () => !(await node.app.action.list()).items.some((item) => item.name === name));
}

/** As much as an output may have here. */
const LARGE = "y".repeat(4 * 1024 * 1024 - 2);

const input = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };

describe("one hop", () => {
  test.each([
    ["who dialled asks", 0],
    ["who was dialled asks", 1],
  ])("%s, and is answered, with a fault too", async (_, asker) => {
    const runs = counting("far");
    const pair = [await start("n-berlin", runs.protocol), await start("n-osaka", runs.protocol)] as const;
    const [near, far] = [pair[asker] as PeerNode, pair[1 - asker] as PeerNode];
    await far.app.action.register({ name: "greet", protocol: "counting", input });
    await peered(pair[0], pair[1]);
    await known(near, "greet");
    expect(await near.app.action.perform({ name: "greet", input: { name: "Yuki" } })).toMatchObject({
      output: { where: "far", nth: 1 },
      via: far.id,
    });
    // The far side's own check of the input, as it says it.
    const misfit = await faultFrom(near.app.action.perform({ name: "greet", input: {} }));
    expect(misfit).toMatchObject({ code: "INPUT_INVALID", message: `${far.id}: greet: "name" is required` });
    expect(misfit.details).toEqual([{ path: "/name", problem: "is required" }]);
    expect(far.messages).toContain(`peer.${near.id} action.perform`);
    expect(runs.runs).toHaveLength(1);
  });

  test("the same key twice performs once, there as well", async () => {
    const runs = counting("far");
    const [near, far] = [await start("n-berlin"), await start("n-osaka", runs.protocol)];
    await far.app.action.register({ name: "greet", protocol: "counting" });
    await peered(near, far);
    await known(near, "greet");
    const asked = () => near.app.action.perform({ name: "greet", input: 1 }, { key: "k" });
    const [one, two] = await Promise.all([asked(), asked()]);
    expect(one).toEqual(two);
    expect(await asked()).toEqual(one);
    expect(runs.runs).toEqual([1]);
  });

  test.each([
    ["who dialled asks", 0],
    ["who was dialled asks", 1],
  ])("%s for an output that no frame has room for: its execution fails, and the session goes on", async (_, asker) => {
    const large = protocol("large", () => LARGE);
    const pair = [await start("n-berlin", large), await start("n-osaka", large)] as const;
    const [near, far] = [pair[asker] as PeerNode, pair[1 - asker] as PeerNode];
    await far.app.action.register({ name: "read", protocol: "large" });
    await peered(pair[0], pair[1]);
    await known(near, "read");
    expect(await faultFrom(near.app.action.perform({ name: "read" }))).toMatchObject({ code: "TOO_LARGE" });
    expect(near.messages.filter((message) => message.includes("peer.lost"))).toEqual([]);
  });

  test("a hundred at once are a hundred", async () => {
    const runs = counting("far");
    const [near, far] = [await start("n-berlin"), await start("n-osaka", runs.protocol)];
    await far.app.action.register({ name: "greet", protocol: "counting" });
    await peered(near, far);
    await known(near, "greet");
    const all = Array.from({ length: 100 }, (_, i) => near.app.action.perform({ name: "greet", input: i }));
    const outputs = (await Promise.all(all)).map(({ output }) => (output as { nth: number }).nth);
    expect(outputs.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test("what the far side's operator refuses is told with its clause, and by which message of theirs", async () => {
    const [near, far] = [await start("n-berlin"), await start("n-osaka")];
    await far.app.action.register({ name: "greet", protocol: "echo" });
    await peered(near, far);
    await known(near, "greet");
    // Decided before the withdrawal can have come. The grant stays as it is, and so does the session.
    const reject = { name: "not greet", then: "reject" as const, match: { routes: ["action:greet"] } };
    const export_ = { clauses: [reject, ...allOut.clauses] };
    const narrowed = far.app.peer.configure({ name: near.id, export: export_ });
    const refused = await faultFrom(near.app.action.perform({ name: "greet" }));
    await narrowed;
    expect(refused.code).toBe("ROUTE_NOT_EXPORTED");
    expect(refused.message).toBe(`${far.id}: ${near.id} is not told of action:greet: clause "not greet" rejects it`);
    const { peer } = refused.details as { peer: { name: string; node: string; id: string } };
    expect([peer.name, peer.node]).toEqual([far.id, far.id]);
    // Their operator finds it by that id.
    const explained = JSON.stringify(await far.app.log.explain({ id: peer.id }));
    expect(explained).toContain(`export ${near.id}: not greet`);
    await gone(near, "greet");
    expect(await faultFrom(near.app.action.perform({ name: "greet" }))).toMatchObject({ code: "ACTION_UNKNOWN" });
  });

  test("an action that is removed meanwhile is unknown there, and then here", async () => {
    const [near, far] = [await start("n-berlin"), await start("n-osaka")];
    await far.app.action.register({ name: "greet", protocol: "echo" });
    await peered(near, far);
    await known(near, "greet");
    const removed = far.app.action.remove({ name: "greet" });
    expect(await faultFrom(near.app.action.perform({ name: "greet" }))).toMatchObject({
      code: "ACTION_UNKNOWN",
      message: `${far.id}: there is no action "greet"; action.list names all`,
    });
    await removed;
    await gone(near, "greet");
    expect(await faultFrom(near.app.action.perform({ name: "greet" }))).toMatchObject({
      code: "ACTION_UNKNOWN",
      message: 'there is no action "greet"; action.list names all',
    });
  });

  test("what is here wins, and what was never announced is unknown", async () => {
    const runs = counting("far");
    const [near, far] = [await start("n-berlin"), await start("n-osaka", runs.protocol)];
    await far.app.action.register({ name: "greet", protocol: "counting" });
    await far.app.action.register({ name: "hidden", protocol: "counting" });
    await near.app.action.register({ name: "greet", protocol: "echo" });
    await peered(near, far, { theirExports: only("action:greet") });
    expect(await near.app.action.perform({ name: "greet", input: 1 })).not.toHaveProperty("via");
    expect(await faultFrom(near.app.action.perform({ name: "hidden" }))).toMatchObject({ code: "ACTION_UNKNOWN" });
    expect(runs.runs).toEqual([]);
  });

  test("what it takes and gives is asked there", async () => {
    const [near, far] = [await start("n-berlin"), await start("n-osaka")];
    await far.app.action.register({ name: "greet", protocol: "echo", input, output: { type: "object" } });
    await peered(near, far);
    await known(near, "greet");
    const described = await near.app.action.describe({ name: "greet" });
    expect(described).toMatchObject({ input, output: { type: "object" }, elsewhere: { peer: far.id, origin: far.id } });
    // How it is done is nobody's business there.
    expect(described).not.toHaveProperty("configuration");
  });
});

describe("two hops", () => {
  async function line(runs: ReturnType<typeof counting>): Promise<readonly [PeerNode, PeerNode, PeerNode]> {
    const [a, b, c] = [await start("n-a"), await start("n-b"), await start("n-c", runs.protocol)];
    await c.app.action.register({ name: "greet", protocol: "counting", input });
    // In the middle one that was dialled from both sides.
    await peered(a, b);
    await peered(c, b);
    await known(a, "greet");
    return [a, b, c];
  }

  test("are one call for the caller, decided by each under its neighbour's grant", async () => {
    const runs = counting("c");
    const [a, b, c] = await line(runs);
    expect(await a.app.action.perform({ name: "greet", input: { name: "Ada" } }, { correlation: "together" })).toEqual({
      execution: expect.any(String),
      output: { where: "c", nth: 1 },
      via: "n-b",
    });
    expect(b.messages).toContain("peer.n-a action.perform");
    expect(c.messages).toContain("peer.n-b action.perform");
    const { items } = (await c.app.execution.list({})) as { items: { message: string }[] };
    const entry = JSON.stringify(await c.app.log.show({ id: (items[0] as { message: string }).message }));
    expect(entry).toContain('"via":["n-a","n-b"]');
    expect(entry).toContain("together");
  });

  test("a refusal of the far end names both", async () => {
    const [a] = await line(counting("c"));
    const misfit = await faultFrom(a.app.action.perform({ name: "greet", input: {} }));
    expect(misfit).toMatchObject({ code: "INPUT_INVALID", message: 'n-b: n-c: greet: "name" is required' });
    const threw = await faultFrom(a.app.action.perform({ name: "greet", input: { name: "nobody" } }));
    expect(threw).toMatchObject({
      code: "ACTION_FAILED",
      message: "n-b: n-c: greet: there is nobody",
      details: { peer: { name: "n-b", id: expect.stringMatching(/^m-/), peer: { name: "n-c" } } },
    });
  });

  test("schemas come the same way", async () => {
    const [a] = await line(counting("c"));
    expect(await a.app.action.describe({ name: "greet" })).toMatchObject({
      input,
      elsewhere: { peer: "n-b", path: ["n-b", "n-c"], origin: "n-c" },
    });
  });
});

describe("a session that dies", () => {
  /** It waits until it is let go; the first run alone. */
  function held(where: string) {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let runs = 0;
    return {
      begun: begun.promise,
      go: () => go.resolve(),
      runs: () => runs,
      protocol: protocol("held", async () => {
        runs++;
        begun.resolve();
        await go.promise;
        return where;
      }),
    };
  }

  test("before anything is asked costs nothing: the next provider is asked", async () => {
    const [b, c] = [counting("b"), counting("c")];
    const near = await start("n-a");
    const providers = [await start("n-b", b.protocol), await start("n-c", c.protocol)];
    for (const one of providers) {
      await one.app.action.register({ name: "greet", protocol: "counting" });
      await peered(near, one);
    }
    await known(near, "greet");
    const first = (await near.app.action.perform({ name: "greet" })) as { via: string };
    const best = providers.find(({ id }) => id === first.via) as PeerNode;
    const other = providers.find(({ id }) => id !== first.via) as PeerNode;
    await near.app.peer.stop({ name: best.id, now: true });
    const second = await near.app.action.perform({ name: "greet" });
    expect(second).toMatchObject({ via: other.id });
    expect(b.runs.length + c.runs.length).toBe(2);
  });

  test("after it was sent leaves it ambiguous: nobody else is asked, and a retry is told what became of it", async () => {
    const [b, c] = [held("b"), held("c")];
    const near = await start("n-a");
    const providers = new Map([
      ["n-b", { node: await start("n-b", b.protocol), held: b }],
      ["n-c", { node: await start("n-c", c.protocol), held: c }],
    ]);
    for (const { node } of providers.values()) {
      await node.app.action.register({ name: "greet", protocol: "held" });
      await peered(near, node);
    }
    await known(near, "greet");
    const lost = faultFrom(near.app.action.perform({ name: "greet" }));
    const id = await Promise.race([b.begun.then(() => "n-b"), c.begun.then(() => "n-c")]);
    const { node: asked, held: one } = providers.get(id) as { node: PeerNode; held: ReturnType<typeof held> };
    await near.app.peer.stop({ name: id, now: true });
    expect(await lost).toMatchObject({ code: "EXECUTION_AMBIGUOUS", details: { peer: { node: id } } });
    const { items } = (await near.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
    expect(items).toHaveLength(1);
    const execution = (items[0] as { id: string }).id;
    // The other one could do it, and is not asked.
    expect(await faultFrom(near.app.execution.retry({ id: execution }))).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    await near.app.peer.start({ name: id });
    await complete(near, id);
    await complete(asked, near.id);
    const retried = near.app.execution.retry({ id: execution });
    one.go();
    expect(await retried).toMatchObject({ output: id.slice(2), via: id });
    expect(b.runs() + c.runs()).toBe(1);
  });

  test("in the middle: who asked is told that it is not known, and later what it was", async () => {
    const far = held("c");
    const [a, b, c] = [await start("n-a"), await start("n-b"), await start("n-c", far.protocol)];
    await c.app.action.register({ name: "greet", protocol: "held" });
    await peered(a, b);
    await peered(b, c);
    await known(a, "greet");
    const lost = faultFrom(a.app.action.perform({ name: "greet" }));
    await far.begun;
    await b.app.peer.stop({ name: "n-c", now: true });
    expect(await lost).toMatchObject({ code: "EXECUTION_AMBIGUOUS", message: expect.stringContaining("n-c") });
    const ambiguous = async (node: PeerNode) =>
      ((await node.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] }).items.map(
        ({ id }) => id,
      );
    const [[atA], [atB]] = [await ambiguous(a), await ambiguous(b)] as [[string], [string]];
    // The one in the middle has to know first.
    expect(await faultFrom(a.app.execution.retry({ id: atA }))).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    await b.app.peer.start({ name: "n-c" });
    far.go();
    // Nobody asks: the one in the middle does when its neighbour is back, and whoever asked it a moment later.
    await until(async () => ((await b.app.execution.show({ id: atB })) as Ended).state === "done");
    await until(async () => ((await a.app.execution.show({ id: atA })) as Ended).state === "done");
    expect(await a.app.execution.show({ id: atA })).toMatchObject({ output: "c" });
    expect(far.runs()).toBe(1);
  });
});

test("a deadline is the far side's too, also where its clock is four minutes ahead", async () => {
  const timers = new LongTimers();
  const aborted = Promise.withResolvers<unknown>();
  const seen = protocol("seen", ({ signal }) => {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        aborted.resolve(signal.reason);
        reject(signal.reason);
      });
    });
  });
  const near = await start("n-berlin");
  const far = await startNode({ id: "n-osaka", protocols: [seen], timers, now: () => Date.now() + 240_000 });
  nodes.push(far);
  await far.app.action.register({ name: "slow", protocol: "seen", timeout: 2 * LongTimers.LONG });
  await peered(near, far);
  await known(near, "slow");
  const late = faultFrom(near.app.action.perform({ name: "slow" }, { deadline: Date.now() + LongTimers.LONG }));
  await until(() => timers.set > 0);
  timers.pass();
  expect(await aborted.promise).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  expect((await late).code).toBe("DEADLINE_EXCEEDED");
});
