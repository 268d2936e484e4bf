// What plugins do by themselves, beside messages: when it begins, what it may ask, and what it is told.

import { expect, test } from "bun:test";
import { z } from "zod";
import type { FaultError } from "../fault/fault.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { query, signal } from "../message/definition.ts";
import type { AnyPlugin, Live, OwedEffect, PluginRuntime } from "../plugin/plugin.ts";
import { definePlugin } from "../plugin/plugin.ts";
import { next, refuse } from "../plugin/result.ts";
import { authority, token } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { reopened } from "../testing/faulty-log.fixture.ts";
import { jobs } from "../testing/jobs.fixture.ts";
import { codeOf, plugin, records, settled, start, takes } from "../testing/start.fixture.ts";

/** Everybody may everything but `eve`, who may nothing that begins with `file.`. */
const admits = definePlugin({
  name: "admits",
  adds: [authority],
  decide({ envelope: { principal, grant }, message, definition }) {
    const name = definition.target?.(message.data as never);
    if (principal === "eve" && message.resource === "file") return refuse("DENIED", `eve: ${name}`);
    return next({
      adds: { authority: { principal, grant, reads: () => true, writes: () => true, allows: () => undefined } },
    });
  },
});

const greeting = token<{ readonly text: string }>()("greeting");
const given = { text: "hello" };

function running(run: (runtime: PluginRuntime) => void, parts: Partial<AnyPlugin> = {}) {
  const gives = definePlugin({
    name: "gives",
    needs: [authority],
    adds: [greeting],
    gives: { greeting: given },
    decide: () => next(),
  });
  const runs = plugin("runs", {
    messages: { note: { write: takes("text"), heard: records("text") } },
    decide: ({ message }) => next({ data: message.data }),
    run,
    ...parts,
  });
  return [admits, gives, runs];
}

async function runtimeOf(parts?: Partial<AnyPlugin>, setting?: Parameters<typeof start>[1]) {
  let runtime: PluginRuntime | undefined;
  const node = await start(
    running((one) => {
      runtime = one;
    }, parts),
    setting,
  );
  return { ...node, runtime: runtime as PluginRuntime };
}

test("it begins once messages are taken, and asks like anybody", async () => {
  const { runtime, history } = await runtimeOf();
  const as = { principal: "ada", grant: "node" };
  expect(await runtime.apply({ resource: "note", action: "write", data: { text: "a" } }, as)).toEqual({ text: "a" });
  expect(await history()).toEqual(["note.write done"]);
});

test("what it asks for stands under what it came from", async () => {
  const { runtime, send } = await runtimeOf();
  const as = { principal: "ada", grant: "node" };
  await send("note.write", { text: "first" });
  const cause = "m-0000000000000000";
  const origin = { cause, hops: 16, correlation: "order 7" };
  await runtime.apply({ resource: "note", action: "write", data: { text: "b" } }, as, {}, origin);
  const deeper = runtime.apply({ resource: "note", action: "write", data: { text: "c" } }, as, {}, { cause, hops: 17 });
  expect(await codeOf(deeper)).toBe("HOPS_EXCEEDED");
});

test("an internal message is noted, and is durable then", async () => {
  const { runtime, history } = await runtimeOf();
  await runtime.note({ resource: "note", action: "heard", data: { text: "x" } });
  expect([runtime.durable, await history()]).toEqual([runtime.reader.revision, ["note.heard done"]]);
});

test("rights are asked of whoever establishes the authority, and leave no entry", async () => {
  const { runtime, history } = await runtimeOf();
  const right = { resource: "file", verb: "read", name: "/srv/*" };
  expect(runtime.allows(right, { principal: "ada", grant: "g-1" })).toBeUndefined();
  expect(runtime.allows(right, { principal: "eve", grant: "g-1" })).toMatchObject({
    code: "DENIED",
    message: "eve: /srv/*",
  });
  expect(await history()).toEqual([]);
});

test("an effect's handler asks for rights too", async () => {
  const asked: unknown[] = [];
  const right = { resource: "file", verb: "read", name: "/srv/a" };
  const work = jobs((_owed, runtime) => {
    asked.push(runtime.allows(right, { principal: "eve", grant: "g-1" })?.code);
    return "done";
  });
  const node = await start([admits, work]);
  await node.send("job.run");
  expect(asked).toEqual(["DENIED"]);
});

test("what a plugin before it gives is found by its token; what nobody gives is said by name", async () => {
  const { runtime } = await runtimeOf();
  expect(runtime.given(greeting)).toBe(given);
  expect(() => runtime.given(token<number>()("nothing"))).toThrow(
    'plugin "runs" asks for "nothing", which no plugin gives',
  );
});

test("a signal of the node's own changes session tables, and is no entry", async () => {
  const seen = table<string>("seen", "session");
  const { runtime, history } = await runtimeOf({
    messages: {
      note: { seen: { ...signal({ summary: "", data: z.strictObject({}), result: z.unknown() }), internal: true } },
    },
    tables: [seen],
    decide: ({ state, envelope }) => next({ state: state.put(seen, "last", envelope.principal), data: "seen" }),
  });
  expect(await runtime.note({ resource: "note", action: "seen", data: {} })).toBe("seen");
  expect([runtime.reader.get(seen, "last"), await history()]).toEqual(["node:n-embedded", []]);
});

test("its identity is of this start, and signs for the plugin", async () => {
  const signs = ["capstan note/1"];
  const log = memoryLog();
  const first = (await runtimeOf({ signs }, { log })).runtime.identity;
  expect([first.node, first.epoch]).toEqual(["n-embedded", log.epoch]);
  expect(first.sign(new TextEncoder().encode("capstan note/1\n"))).toHaveLength(64);
  expect(Buffer.from(first.publicKey, "base64url")).toHaveLength(32);
  const second = (await runtimeOf({ signs }, { log: reopened(log) })).runtime.identity;
  expect(second.epoch).toBe(first.epoch + 1);
});

test("what it came through is with what a message owes", async () => {
  const owed: OwedEffect[] = [];
  const heard = { resource: "note", action: "heard", data: { text: "x" } };
  const { runtime } = await runtimeOf({
    decide: ({ message }) =>
      message.action === "write" ? next({ effects: [{ kind: "tell", data: {} }] }) : next({ data: message.data }),
    effects: {
      tell: {
        carryOut(effect) {
          owed.push(effect);
          return heard;
        },
        failed: () => heard,
        lost: () => heard,
      },
    },
  });
  const as = { principal: "ada", grant: "node" };
  const origin = { via: ["n-b", "n-c"], hops: 2 };
  await runtime.apply({ resource: "note", action: "write", data: { text: "a" } }, as, {}, origin);
  await settled();
  expect(owed.map(({ via, hops }) => ({ via, hops }))).toEqual([origin]);
});

test("on a damaged log, and where nothing is carried out, nothing begins", async () => {
  let begun = 0;
  const log = Object.assign(memoryLog(), { damage: { damaged: ["a page"], whole: "the rest" } });
  await start(
    running(() => void begun++),
    { log },
  );
  expect(begun).toBe(0);
});

test("a signal is answered once it was decided, with the authority that it had", async () => {
  const beat = signal({ summary: "", data: z.strictObject({}), result: z.unknown() });
  const heart = plugin("heart", {
    messages: { heart: { beat } },
    decide: () => next(),
    answer: { "heart.beat": (_envelope, _reader, { principal }) => ({ heard: principal }) },
  });
  const node = await start([admits, heart]);
  expect(await node.send("heart.beat", {}, { as: "ada" })).toEqual({ heard: "ada" });
});

test("a callback of a caller's in this process is a reference in the message, and can be called by it", async () => {
  const follow = query({
    summary: "",
    data: z.strictObject({ callback: z.string() }),
    result: z.unknown(),
    live: ["callback"],
  });
  const { orchestrator, runtime } = await runtimeOf({
    messages: { note: { follow } },
    answer: { "note.follow": ({ message }) => (message.data as { callback: string }).callback },
  });
  const heard: unknown[] = [];
  using scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  const message = { resource: "note", action: "follow", data: { callback: (x: unknown) => heard.push(x) } };
  const reference = (await scope.applyAction(message)) as string;
  const live = runtime.live(reference) as Live;
  await live.call("one");
  live.dispose();
  expect(heard).toEqual(["one"]);
  expect([runtime.live(reference), await codeOf(live.call("two"))]).toEqual([undefined, "LIVE_UNAVAILABLE"]);
});

test("its callbacks are gone when the node stops, and who listens is told why", async () => {
  const follow = query({
    summary: "",
    data: z.strictObject({ callback: z.string() }),
    result: z.unknown(),
    live: ["callback"],
  });
  const { orchestrator, runtime } = await runtimeOf({
    messages: { note: { follow } },
    answer: { "note.follow": ({ message }) => (message.data as { callback: string }).callback },
  });
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  const message = { resource: "note", action: "follow", data: { callback: () => {} } };
  const live = runtime.live((await scope.applyAction(message)) as string) as Live;
  const why: string[] = [];
  live.onGone((text) => why.push(text));
  await orchestrator.stop();
  expect(why).toEqual(["the node is stopping"]);
});

test("what is published is in the entry, and explained", async () => {
  const { send, orchestrator } = await runtimeOf({
    decide: ({ message }) => next({ data: message.data, publishes: "note.written" }),
  });
  await send("note.write", { text: "a" });
  const [{ text } = { text: "" }] = await orchestrator.log.read(orchestrator.committer.durable, { limit: 1 });
  expect(text).toContain('"publishes":"note.written"');
  const { id } = JSON.parse(text.split("\n")[0] as string) as { id: string };
  expect(await send("log.explain", { id }).catch((error: unknown) => (error as FaultError).code)).toBe(
    "MESSAGE_UNKNOWN",
  );
  const { explain } = await import("./explain/explain.ts");
  expect((await explain(orchestrator.reader, id)).plugins.at(-1)).toEqual({
    plugin: "runs",
    verdict: "next",
    publishes: "note.written",
  });
  await settled();
});

test("an outcome that comes later has its caller's place in a trace, and what belongs together", async () => {
  const node = await start([admits, jobs(async () => "done")]);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await node.send("job.run", {}, { traceparent, correlation: "order 7" });
  const [{ text } = { text: "" }] = await node.orchestrator.log.read(node.orchestrator.committer.durable, { limit: 1 });
  expect(text).toContain(`"correlation":"order 7","traceparent":"${traceparent}"`);
  expect(text).toContain('"message":"job.done"');
});
