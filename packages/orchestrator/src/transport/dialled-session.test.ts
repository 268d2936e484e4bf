// Sessions that a node opens: callbacks among the arguments, what the other side may ask of them, and what may leave when.

import { afterEach, expect, test } from "bun:test";
import { RpcTarget } from "capnweb";
import { z } from "zod";
import { openSession, remoteFault } from "../client.ts";
import { query } from "../message/definition.ts";
import { createOrchestrator, type Orchestrator } from "../orchestrator.ts";
import { defineConnection } from "../plugin/connection.ts";
import { definePlugin, type Live, type PluginRuntime } from "../plugin/plugin.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import type { Durability } from "../rpc/gate.ts";
import { type Serving, serve } from "../server/serve.ts";
import { ManualTime } from "../testing/manual-time.fixture.ts";
import { settled } from "../testing/start.fixture.ts";
import { systemTimers } from "../time/timers.ts";
import { dialSession } from "./dialled-session.ts";
import type { DialledLink } from "./link.ts";

// A remote object has whatever the node has.
type Remote = any;

const started: Serving[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

/** A node that is given bells, and rings them. */
async function node() {
  let runtime: PluginRuntime | undefined;
  const hung: string[] = [];
  const bells = definePlugin({
    name: "bells",
    adds: [authority],
    connections: {
      connectionFromName: defineConnection({
        input: z.string(),
        challenge: { input: z.string(), offer: (hello) => ({ answer: `hello ${hello}` }) },
        verify: (name) => ({ principal: name, grant: "g-2" }),
      }),
    },
    messages: {
      bell: {
        hang: query({
          summary: "Hang up a bell.",
          data: z.strictObject({ callback: z.string() }),
          result: z.unknown(),
          live: ["callback"],
        }),
      },
    },
    decide: ({ envelope: { principal, grant } }) =>
      next({
        adds: { authority: { principal, grant, reads: () => true, writes: () => true, allows: () => undefined } },
      }),
    answer: { "bell.hang": ({ message }) => hung.push((message.data as { callback: string }).callback) },
    run(one) {
      runtime = one;
    },
  });
  const orchestrator = (await createOrchestrator({ plugins: [bells] })) as Orchestrator;
  const serving = serve(orchestrator, { listen: "127.0.0.1:0" });
  started.push(serving);
  const bell = (i: number): Live => (runtime as PluginRuntime).live(hung[i] as string) as Live;
  return { url: serving.url, orchestrator, bell, runtime: runtime as unknown as PluginRuntime };
}

const durable: Durability = { tip: 0, durable: 0, generation: 0, onAdvance: () => () => {} };
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const parts = { durability: durable, timers: new ManualTime(), logger };

const ways = {
  "a client's": async (url: string) => openSession({ url }),
  "a node's": (url: string) => dialSession({ url }, parts),
};

for (const [whose, open] of Object.entries(ways)) {
  test(`${whose} session asks for anything, in one go`, async () => {
    const { url } = await node();
    const { api, close } = await open(url);
    const remote: Remote = api;
    const challenged = remote.challenge({ connection: "connectionFromName", hello: "ada" });
    const scope = remote.connectionFromName("bob");
    expect(await scope.bell.hang({ callback: () => 1 })).toBe(1);
    expect([await challenged, (await remote.health()).node]).toEqual(["hello ada", "n-embedded"]);
    close();
  });

  test(`${whose} callbacks are called, as functions and as methods of a target, until the session ends`, async () => {
    const { url, bell, orchestrator } = await node();
    const { api, onClose, close } = await open(url);
    const closed = new Promise((resolve) => onClose(resolve));
    const heard: unknown[] = [];
    class Bell extends RpcTarget {
      ring(tone: unknown): unknown {
        return heard.push(tone);
      }
    }
    const scope: Remote = (api as Remote).connectionFromName("bob");
    await scope.bell.hang({ callback: (tone: unknown) => `heard ${heard.push(tone)}` });
    await scope.bell.hang({ callback: new Bell() });
    expect(await bell(0).call({ note: "a" })).toBe("heard 1");
    // After the call that brought it, and more than once: the other side kept its own.
    expect(await bell(0).call({ note: "b" })).toBe("heard 2");
    expect(heard).toEqual([{ note: "a" }, { note: "b" }]);
    const gone = [0, 1].map((i) => new Promise<string>((resolve) => bell(i).onGone(resolve)));
    close();
    await closed;
    expect(await Promise.all(gone)).toEqual(["its session ended", "its session ended"]);
    expect(orchestrator.lives.size).toBe(0);
  });

  test(`${whose} session ends where the node's does, and says so`, async () => {
    const { url } = await node();
    const { api, onClose } = await open(url);
    expect(await (api as Remote).health()).toMatchObject({ node: "n-embedded" });
    const closed = new Promise((resolve) => onClose(resolve));
    await started.pop()?.stop();
    await closed;
    expect(await (api as Remote).health().catch((thrown: unknown) => remoteFault(thrown).code)).not.toBe(undefined);
  });
}

test("what does not answer is UNREACHABLE", async () => {
  const { url } = await node();
  await started.pop()?.stop();
  await expect(dialSession({ url }, parts)).rejects.toMatchObject({ code: "UNREACHABLE" });
});

test("what takes the connection and says nothing is UNREACHABLE in the end", async () => {
  const mute = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const timers = new ManualTime();
  const dialled = dialSession({ url: `http://127.0.0.1:${mute.port}` }, { ...parts, timers });
  timers.advance(10_000);
  await expect(dialled).rejects.toMatchObject({
    code: "UNREACHABLE",
    message: expect.stringContaining("did not answer within 10 s"),
  });
  mute.stop(true);
});

test("a link that comes too late is ended", async () => {
  const timers = new ManualTime();
  const link = Promise.withResolvers<DialledLink>();
  const dialled = dialSession({ url: "http://slow", dial: () => link.promise }, { ...parts, timers });
  timers.advance(10_000);
  await expect(dialled).rejects.toMatchObject({ code: "UNREACHABLE" });
  const terminated = new Promise<void>((terminate) => link.resolve({ terminate } as DialledLink));
  await terminated;
});

test("what a node is told may be as large as what it tells", async () => {
  const { url, bell } = await node();
  const { api, close } = await dialSession({ url }, parts);
  const large = "x".repeat(100_000);
  await (api as Remote).connectionFromName("bob").bell.hang({ callback: (text: string) => text.length });
  expect(await bell(0).call(large)).toBe(large.length);
  close();
});

test("answers that are together more than may wait reach the node one after the other, and the session goes on", async () => {
  const { url, bell } = await node();
  const limits = { outboundBytes: 1024 * 1024 };
  const { api, close } = await dialSession({ url, limits }, { ...parts, timers: systemTimers });
  let gate = Promise.withResolvers<void>();
  let left = 6;
  const callback = async (size: number): Promise<string> => {
    if (--left === 0) gate.resolve();
    await gate.promise;
    return "x".repeat(size);
  };
  await (api as Remote).connectionFromName("bob").bell.hang({ callback });
  const asked = Array.from({ length: 6 }, async (_, i) => bell(0).call(500_000 + i));
  expect((await Promise.all(asked)).map((answer) => String(answer).length - 500_000)).toEqual([0, 1, 2, 3, 4, 5]);
  gate = Promise.withResolvers();
  left = 9;
  const more = await Promise.allSettled(Array.from({ length: 9 }, async () => bell(0).call(500_000)));
  const refused = more.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
  expect(refused).toEqual(["SESSION_BUDGET", "SESSION_BUDGET", "SESSION_BUDGET"]);
  expect(await bell(0).call(3)).toBe("xxx");
  close();
});

test("a node's frames wait for what they were decided on", async () => {
  const { url } = await node();
  const listeners = new Set<() => void>();
  const log = {
    ...{ tip: 1, durable: 0, generation: 0 },
    onAdvance(callback: () => void) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
  };
  const { api, close } = await dialSession({ url }, { ...parts, durability: log });
  let answered = false;
  const asked = Promise.resolve((api as Remote).health()).then(() => {
    answered = true;
  });
  await settled();
  await (await fetch(`${url}/healthz`)).text();
  expect(answered).toBe(false);
  log.durable = 1;
  for (const listener of listeners) listener();
  await asked;
  close();
});

test("what is sent unheld leaves at once, and is answered, while the log waits", async () => {
  const { url } = await node();
  const log = { ...durable, tip: 1, unheld: false };
  const { api, close } = await dialSession({ url }, { ...parts, durability: log });
  log.unheld = true;
  const asked = (api as Remote).health();
  log.unheld = false;
  expect(await asked).toMatchObject({ node: "n-embedded" });
  close();
});

test("what the other side asks of a node's callbacks is bounded like a caller's", async () => {
  const { url, bell } = await node();
  const { api, onClose } = await dialSession({ url, limits: { liveExports: 32 } }, parts);
  const closed = new Promise<unknown>((resolve) => onClose(resolve));
  await (api as Remote).connectionFromName("bob").bell.hang({ callback: () => new Promise(() => {}) });
  for (let i = 0; i < 64; i++)
    bell(0)
      .call(i)
      .catch(() => {});
  expect(await closed).toMatchObject({ code: "SESSION_BUDGET" });
});

test("a plugin dials with the node's own log behind it", async () => {
  const { url, runtime } = await node();
  const { api, close } = await runtime.dial({ url });
  expect(await (api as Remote).health()).toMatchObject({ node: "n-embedded" });
  close();
});
