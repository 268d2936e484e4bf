// Callbacks over real sockets: a caller's stub is a reference in the message, is called back, and ends with its session.

import { afterEach, expect, test } from "bun:test";
import {
  createOrchestrator,
  definePlugin,
  type Live,
  next,
  type Orchestrator,
  type PluginRuntime,
  query,
  type Serving,
  serve,
} from "@capstan/orchestrator";
import { auth, credentialDigest, ledger } from "@capstan/plugins";
import { newHttpBatchRpcSession, newWebSocketRpcSession, RpcTarget } from "capnweb";
import { z } from "zod";
import { faultOf, type Remote } from "./session.ts";

const started: Serving[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

const secret = Buffer.alloc(32, 7).toString("base64url");

async function node() {
  let runtime: PluginRuntime | undefined;
  const heard: string[] = [];
  const bell = definePlugin({
    name: "bell",
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
    decide: () => next(),
    answer: {
      "bell.hang": ({ message }) => {
        heard.push((message.data as { callback: string }).callback);
        return { hung: heard.length };
      },
    },
    run(one) {
      runtime = one;
    },
  });
  const orchestrator = await createOrchestrator({ plugins: [auth(), bell, ledger()] });
  using scope = await orchestrator.scope({ principal: "setup", allow: ["*"] });
  await scope.applyAction({
    resource: "grant",
    action: "create",
    data: { principal: "bob", allow: ["bell.hang"], credential: credentialDigest(secret) },
  });
  const serving = serve(orchestrator as Orchestrator, { listen: "127.0.0.1:0" });
  started.push(serving);
  const live = (i: number): Live => (runtime as PluginRuntime).live(heard[i] as string) as Live;
  return { url: serving.url, orchestrator, heard, live, runtime: runtime as unknown as PluginRuntime };
}

test("a function of a client's is called back with data, and its answer comes back", async () => {
  const { url, live } = await node();
  const session: Remote = newWebSocketRpcSession(`${url.replace("http", "ws")}/rpc`);
  const scope = session.connectionFromCli(secret);
  const rung: unknown[] = [];
  expect(await scope.bell.hang({ callback: (tone: unknown) => `heard ${rung.push(tone)}` })).toEqual({ hung: 1 });
  expect(await live(0).call({ note: "a" })).toBe("heard 1");
  expect(await live(0).call({ note: "b" })).toBe("heard 2");
  expect(rung).toEqual([{ note: "a" }, { note: "b" }]);
  session[Symbol.dispose]();
});

test("of what the function answers nothing is kept but data", async () => {
  const { url, live } = await node();
  const session: Remote = newWebSocketRpcSession(`${url.replace("http", "ws")}/rpc`);
  const released = Promise.withResolvers<void>();
  class Kept extends RpcTarget {
    [Symbol.dispose]() {
      released.resolve();
    }
  }
  await session.connectionFromCli(secret).bell.hang({ callback: () => ({ tone: "a", kept: new Kept() }) });
  expect(await live(0).call()).toMatchObject({ tone: "a" });
  await released.promise;
  session[Symbol.dispose]();
});

test("what the function throws is no more than a rejection", async () => {
  const { url, live } = await node();
  const session: Remote = newWebSocketRpcSession(`${url.replace("http", "ws")}/rpc`);
  await session.connectionFromCli(secret).bell.hang({
    callback: () => {
      throw new Error("not now");
    },
  });
  expect(await faultOf(live(0).call())).toMatchObject({ message: "not now" });
  session[Symbol.dispose]();
});

test("a message that is refused keeps no callback of its caller's", async () => {
  const { url, orchestrator } = await node();
  const session: Remote = newWebSocketRpcSession(`${url.replace("http", "ws")}/rpc`);
  const scope = session.connectionFromCli(secret);
  expect(await faultOf(scope.bell.hang({ callback: () => {}, tone: 1 }))).toMatchObject({ code: "MESSAGE_INVALID" });
  expect(orchestrator.lives.size).toBe(0);
  await scope.bell.hang({ callback: () => {} });
  expect(orchestrator.lives.size).toBe(1);
  session[Symbol.dispose]();
});

test("it is gone with its socket", async () => {
  const { url, live, runtime, heard } = await node();
  const session: Remote = newWebSocketRpcSession(`${url.replace("http", "ws")}/rpc`);
  await session.connectionFromCli(secret).bell.hang({ callback: () => 1 });
  const gone = new Promise<string>((resolve) => live(0).onGone(resolve));
  session[Symbol.dispose]();
  expect(await gone).toBe("its session ended");
  expect(runtime.live(heard[0] as string)).toBeUndefined();
});

test("a batch cannot be called back", async () => {
  const { url } = await node();
  const batch: Remote = newHttpBatchRpcSession(`${url}/rpc`);
  const hung = batch.connectionFromCli(secret).bell.hang({ callback: () => 1 });
  expect((await faultOf(hung))?.code).toBe("LIVE_UNAVAILABLE");
});

test("what is no function is refused by the schema, a reference that somebody else was given as well as any text", async () => {
  const { url, heard } = await node();
  const session: Remote = newWebSocketRpcSession(`${url.replace("http", "ws")}/rpc`);
  const scope = session.connectionFromCli(secret);
  expect((await faultOf(scope.bell.hang({ callback: 7 })))?.code).toBe("MESSAGE_INVALID");
  expect((await faultOf(scope.bell.hang({})))?.code).toBe("MESSAGE_INVALID");
  expect(heard).toEqual([]);
  session[Symbol.dispose]();
});
