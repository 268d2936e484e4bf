// Who follows rows is told what is durable, and nothing that is undone.

import { expect, test } from "bun:test";
import type { StoredRow } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import type { FollowedRow, PluginRuntime } from "../plugin/plugin.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { faultyLog, gatedLog, logWith } from "../testing/faulty-log.fixture.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../testing/start.fixture.ts";

const things = table<string>("thing", "logged", { routes: (key, row) => [[`thing:${key}`, row]] });
const other = table<string>("other");

async function node(setting?: Parameters<typeof start>[1]) {
  let runtime: PluginRuntime | undefined;
  const keeper = plugin("keeper", {
    needs: [authority],
    tables: [things, other],
    messages: { thing: { put: takes("key", "row"), remove: takes("key"), aside: takes("key", "row") } },
    decide({ message, state }) {
      const { key, row } = message.data as { key: string; row: string };
      if (message.resource !== "thing") return next();
      if (message.action === "aside") return next({ state: state.put(other, key, row) });
      return next({ state: message.action === "put" ? state.put(things, key, row) : state.remove(things, key) });
    },
    run(one) {
      runtime = one;
    },
  });
  const started = await start([admits(), keeper], setting);
  const told: string[] = [];
  const follow = (tables = [things]) =>
    (runtime as PluginRuntime).follow(tables, (rows: readonly FollowedRow[], durable) =>
      told.push(`${durable}: ${rows.map(({ key, row }) => `${key}=${row ?? "-"}`).join(" ")}`),
    );
  return { ...started, runtime: runtime as PluginRuntime, told, follow };
}

test("whoever follows is told all rows first, and then what changed", async () => {
  const { send, told, follow } = await node();
  await send("thing.put", { key: "a", row: "1" });
  await send("thing.aside", { key: "z", row: "1" });
  follow();
  expect(told).toEqual([]);
  await settled();
  await send("thing.put", { key: "b", row: "1" });
  await send("thing.aside", { key: "z", row: "2" });
  await send("thing.remove", { key: "a" });
  await settled();
  expect(told).toEqual(["3: a=1", "4: b=1", "6: a=-"]);
});

test("it is told so where there is nothing yet, and no more once it stops", async () => {
  const { send, told, follow } = await node();
  const stop = follow();
  await settled();
  expect(told).toEqual(["1: "]);
  stop();
  await send("thing.put", { key: "a", row: "1" });
  await settled();
  expect(told).toEqual(["1: "]);
});

test("whoever stops before being told anything is told nothing", async () => {
  const { told, follow } = await node();
  follow()();
  await settled();
  expect(told).toEqual([]);
});

test("what changes while the first rows are read is told behind them", async () => {
  const inner = memoryLog();
  const gate = Promise.withResolvers<void>();
  let gated = false;
  async function* snapshot(tables: readonly string[]) {
    const rows = [...(inner.snapshot(tables) as Iterable<StoredRow>)];
    if (gated) await gate.promise;
    yield* rows;
  }
  const { send, told, follow } = await node({ log: logWith(inner, { snapshot }) });
  await send("thing.put", { key: "a", row: "1" });
  gated = true;
  follow();
  await settled();
  await send("thing.put", { key: "a", row: "2" });
  await settled();
  expect(told).toEqual([]);
  gate.resolve();
  await settled();
  expect(told).toEqual(["3: a=1", "3: a=2"]);
});

test("of what became durable together each key is told once, as it is then", async () => {
  const { send, told, follow, flush } = await node({ manual: true });
  follow();
  await settled();
  const sent = [
    send("thing.put", { key: "a", row: "1" }),
    send("thing.put", { key: "b", row: "1" }),
    send("thing.put", { key: "a", row: "2" }),
  ];
  await settled();
  expect(told).toEqual(["1: "]);
  flush();
  await Promise.all(sent);
  expect(told).toEqual(["1: ", "4: b=1 a=2"]);
});

test("what is undone is never told", async () => {
  const disk = faultyLog();
  const { send, told, follow } = await node({ log: disk.log });
  follow();
  await settled();
  disk.full = true;
  expect(await codeOf(send("thing.put", { key: "a", row: "1" }))).toBe("LOG_UNAVAILABLE");
  disk.full = false;
  await send("thing.put", { key: "b", row: "1" });
  await settled();
  expect(told).toEqual(["1: ", "2: b=1"]);
});

test("what is decided and not yet durable is not among the first rows", async () => {
  const gate = gatedLog();
  const starting = node({ log: gate.log });
  await settled();
  gate.appends.shift()?.pass();
  const { send, told, follow } = await starting;
  const sent = send("thing.put", { key: "a", row: "1" });
  await settled();
  follow();
  await settled();
  expect(told).toEqual(["1: "]);
  gate.appends.shift()?.pass();
  await sent;
  expect(told).toEqual(["1: ", "2: a=1"]);
});

test("one that throws is reported, and keeps nobody from being told", async () => {
  const { send, told, follow, runtime, errors } = await node();
  runtime.follow([things], () => {
    throw new Error("no");
  });
  follow();
  await settled();
  await send("thing.put", { key: "a", row: "1" });
  await settled();
  expect(told).toEqual(["1: ", "2: a=1"]);
  expect(errors.filter((one) => one.startsWith("a plugin failed to follow rows"))).toHaveLength(2);
});

test("routable tables are found without their owner's name", async () => {
  const { runtime } = await node();
  expect(runtime.routable.map((table) => [table.name, table.routes?.("k", "digest")])).toEqual([
    ["thing", [["thing:k", "digest"]]],
  ]);
});
