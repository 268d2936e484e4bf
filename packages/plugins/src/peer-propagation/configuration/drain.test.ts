// Stopping and removing a peer with something in flight over its session: nothing new goes over it, what is in flight ends first, or has its time.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import {
  complete,
  type NodeOptions,
  type PeerNode,
  peered,
  routes,
  shown,
  startNode,
  until,
} from "../peers.fixture.ts";

let nodes: PeerNode[] = [];
let begun: (() => void)[] = [];
let going: (() => void)[] = [];
let runs = 0;

beforeEach(() => {
  [nodes, begun, going, runs] = [[], [], [], 0];
});

afterEach(async () => {
  for (const go of going) go();
  await Promise.all(nodes.map(({ server }) => server.stop()));
});

/** Runs until it is let go. */
const held = protocol("held", async ({ input }) => {
  runs++;
  for (const told of begun.splice(0)) told();
  await new Promise<void>((resolve) => going.push(resolve));
  return input;
});

const running = () => new Promise<void>((resolve) => begun.push(resolve));
const go = (): void => {
  for (const one of going.splice(0)) one();
};

async function start(
  id: string,
  { peering, protocols = [held], ...options }: Partial<NodeOptions> = {},
): Promise<PeerNode> {
  const node = await startNode({ id, protocols, peering: { drain: 60_000, ...peering }, ...options });
  nodes.push(node);
  return node;
}

const registered = async (node: PeerNode): Promise<void> => {
  await node.app.action.register({ name: "greet", protocol: "held" });
};

/** a and b, which has the action, with one call of a's in flight. */
async function pair(options: Partial<NodeOptions> = {}) {
  const [a, b] = [await start("n-a", options), await start("n-b", options)];
  await registered(b);
  await peered(a, b);
  await until(async () => (await routes(a)).length === 1);
  const inFlight = running();
  const asked = a.app.action.perform({ name: "greet", input: 1 }).then(
    ({ output }) => output,
    ({ code }: { code: string }) => code,
  );
  await inFlight;
  return { a, b, asked };
}

const isTold = async (node: PeerNode) => (await routes(node)).filter(({ filtered }) => filtered === undefined);

describe("with something in flight", () => {
  test.each([
    ["peer.stop of who asks", "stop", 0],
    ["peer.remove of who performs", "remove", 1],
  ] as const)("%s: it ends first, and nothing new goes over the session", async (_, verb, side) => {
    const { a, b, asked } = await pair();
    const [here, there] = side === 0 ? [a, b] : [b, a];
    let over = false;
    const stopped = here.app.peer[verb]({ name: there.id }).then((answer: unknown) => {
      over = true;
      return answer;
    });
    await until(async () => (await shown(here, there.id)).state === "stopping");
    expect(await shown(here, there.id)).toMatchObject({ stopping: { inFlight: 1, until: expect.any(Number) } });
    await until(async () => (await isTold(a)).length === 0);
    expect(await faultFrom(a.app.action.perform({ name: "greet", input: 2 }))).toMatchObject({
      code: expect.stringMatching(/^ACTION_UN/),
    });
    expect((await faultFrom(a.app.action.perform({ name: "greet", at: "n-b" }))).code).toMatch(
      /^(ACTION_UNREACHABLE|PEER_SESSION_OVER)$/,
    );
    expect([over, (await shown(there, here.id)).state, runs]).toEqual([false, "established", 1]);
    go();
    expect(await asked).toBe(1);
    expect(await stopped).toEqual({ name: there.id });
    await until(async () => (await shown(there, here.id)).state !== "established");
    if (verb === "stop") expect((await shown(here, there.id)).state).toBe("stopped");
    else expect((await faultFrom(here.app.peer.show({ name: there.id }))).code).toBe("PEER_UNKNOWN");
    const { items } = await here.app.grant.list({ principal: `peer.${there.id}` } as never);
    expect((items[0] as { revoked?: unknown }).revoked !== undefined).toBe(verb === "remove");
  });
});

test("what is in flight has its time, and no more", async () => {
  const { a, asked } = await pair({ peering: { drain: 50 } });
  expect(await a.app.peer.stop({ name: "n-b" })).toEqual({ name: "n-b" });
  expect(await asked).toBe("EXECUTION_AMBIGUOUS");
});

test("at once with `now`, also by somebody who comes later: whoever waits is told, and what was asked first is done", async () => {
  const { a, asked } = await pair();
  const first = a.app.peer.remove({ name: "n-b" });
  await until(async () => (await shown(a, "n-b")).state === "stopping");
  expect(await a.app.peer.stop({ name: "n-b", now: true })).toEqual({ name: "n-b" });
  expect([await first, await asked]).toEqual([{ name: "n-b" }, "EXECUTION_AMBIGUOUS"]);
  expect((await faultFrom(a.app.peer.show({ name: "n-b" }))).code).toBe("PEER_UNKNOWN");
});

test("where nothing is in flight, as soon as the peer has heard of it; where there is no session, at once", async () => {
  const { a, b, asked } = await pair();
  go();
  await asked;
  await b.app.peer.stop({ name: "n-a" });
  expect(await isTold(a)).toEqual([]);
  await until(async () => (await shown(a, "n-b")).state !== "established");
  await a.app.peer.stop({ name: "n-b" });
  expect(a.messages.filter((one) => one.endsWith(" peer.drained"))).toEqual([]);
});

test("a second stop waits for the same; one that is to be removed as well is, in the end", async () => {
  const { a, asked } = await pair();
  const all = [a.app.peer.stop({ name: "n-b" }), a.app.peer.stop({ name: "n-b" }), a.app.peer.remove({ name: "n-b" })];
  await until(async () => (await shown(a, "n-b")).state === "stopping");
  go();
  expect([await asked, ...(await Promise.all(all))]).toEqual([1, ...Array(3).fill({ name: "n-b" })]);
  expect((await faultFrom(a.app.peer.show({ name: "n-b" }))).code).toBe("PEER_UNKNOWN");
});

test("one that is started before it has stopped is as it was, and whoever waits is told", async () => {
  const { a, asked } = await pair();
  const stopped = faultFrom(a.app.peer.stop({ name: "n-b" }) as Promise<never>);
  await until(async () => (await isTold(a)).length === 0);
  await a.app.peer.start({ name: "n-b" });
  expect((await stopped).code).toBe("CANCELLED");
  await until(async () => (await isTold(a)).length === 1);
  go();
  expect(await asked).toBe(1);
  const second = running();
  const more = a.app.action.perform({ name: "greet", input: 2 });
  await second;
  go();
  expect(await more).toMatchObject({ output: 2 });
  expect((await shown(a, "n-b")).state).toBe("established");
});

test("under load, with another way to the same node, nobody notices that a session is stopped, at whichever end", async () => {
  const work = protocol("work", async ({ input }) => {
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    return input;
  });
  const nodeOf = (id: string) => start(id, { protocols: [work] });
  const [a, b, c, d] = [await nodeOf("n-a"), await nodeOf("n-b"), await nodeOf("n-c"), await nodeOf("n-d")];
  await d.app.action.register({ name: "greet", protocol: "work" });
  for (const middle of [b, c]) {
    await peered(a, middle);
    await peered(middle, d);
  }
  const hasBoth = () =>
    until(async () => (await a.app.route.show({ route: "action:greet" })).paths.length === 2 && isTold(a));
  await hasBoth();
  const came = new Set<string>();
  let over = false;
  let done = 0;
  const someMore = async (): Promise<void> => {
    const soFar = done;
    await until(() => done > soFar + 16);
  };
  const callers = Array.from({ length: 8 }, async () => {
    for (let input = 0; !over; input++, done++)
      came.add(
        await a.app.action.perform({ name: "greet", input }).then(
          ({ output, via }) => (output === input ? (via as string) : "another's"),
          ({ code }: { code: string }) => code,
        ),
      );
  });
  // Whichever is taken by then.
  const best = async (): Promise<PeerNode> => {
    const { paths } = await a.app.route.show({ route: "action:greet" });
    return (paths[0] as { peer: string }).peer === "n-b" ? b : c;
  };
  for (const end of ["behind", "far", "near"] as const) {
    const middle = await best();
    const [node, name] = { behind: [middle, "n-d"], far: [d, middle.id], near: [a, middle.id] }[end] as [
      PeerNode,
      string,
    ];
    await someMore();
    await node.app.peer.stop({ name });
    await someMore();
    await node.app.peer.start({ name });
    await complete(node, name);
    await hasBoth();
  }
  over = true;
  await Promise.all(callers);
  expect([...came].sort()).toEqual(["n-b", "n-c"]);
  // Nor did any node have to ask by another way what had become of one.
  const lost = async (node: PeerNode) => (await node.app.log.list({ message: "execution.lose" } as never)).items.length;
  expect(await Promise.all([a, b, c].map(lost))).toEqual([0, 0, 0]);
});

test("a node that ends meanwhile finds it stopped when it starts", async () => {
  const directory = mkdtempSync(join(tmpdir(), "capstan-drain-"));
  try {
    const [a, b] = [await start("a", { directory }), await start("n-b")];
    await registered(b);
    await peered(a, b);
    await until(async () => (await routes(a)).length === 1);
    const inFlight = running();
    a.app.action.perform({ name: "greet" }).catch(() => {});
    await inFlight;
    a.app.peer.stop({ name: "n-b" }).catch(() => {});
    await until(async () => (await shown(a, "n-b")).state === "stopping");
    await a.hub.stop({ graceMs: 0 });
    await a.server.stop();
    const again = await start("a", { directory });
    await until(async () => (await shown(again, "n-b")).state === "stopped");
    await again.app.peer.start({ name: "n-b" });
    await complete(again, "n-b");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("one that goes while it is being stopped, and comes back at once, is stopped when it has told what it was asked", async () => {
  const { a, b, asked } = await pair();
  const stopped = a.app.peer.stop({ name: "n-b" });
  await until(async () => (await shown(a, "n-b")).state === "stopping");
  await b.app.peer.stop({ name: "n-a", now: true });
  await b.app.peer.start({ name: "n-a" });
  expect(await asked).toBe("EXECUTION_AMBIGUOUS");
  go();
  expect([await stopped, (await shown(a, "n-b")).state, runs]).toEqual([{ name: "n-b" }, "stopped", 1]);
});

test("two that stop each other end when what is in flight has", async () => {
  const { a, b, asked } = await pair();
  const stopped = [a.app.peer.stop({ name: "n-b" }), b.app.peer.stop({ name: "n-a" })];
  await until(async () => (await shown(a, "n-b")).state === "stopping" && (await shown(b, "n-a")).state === "stopping");
  go();
  expect(await asked).toBe(1);
  expect(await Promise.all(stopped)).toEqual([{ name: "n-b" }, { name: "n-a" }]);
});

test("stopped and started over and over: each is answered, and what was said last holds", async () => {
  const { a, asked } = await pair();
  const told: Promise<unknown>[] = [];
  for (let times = 0; times < 5; times++) {
    told.push(a.app.peer.stop({ name: "n-b" }).catch(({ code }: { code: string }) => code));
    await until(async () => (await shown(a, "n-b")).state === "stopping");
    await a.app.peer.start({ name: "n-b" });
  }
  const last = a.app.peer.stop({ name: "n-b" });
  go();
  expect([await asked, ...(await Promise.all(told))]).toEqual([1, ...Array(5).fill("CANCELLED")]);
  expect([await last, (await shown(a, "n-b")).state]).toEqual([{ name: "n-b" }, "stopped"]);
});
