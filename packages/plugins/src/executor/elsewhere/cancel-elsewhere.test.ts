// Cancelling what is asked of others: who is to be told is in the log, and who may take back what.

import { describe, expect, test } from "bun:test";
import { type Message, memoryLog, type PluginRuntime, type StoredRow, siblingId } from "@capstan/orchestrator";
import { altered, reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import type { Carried, CarriedCall } from "../../registry/elsewhere.ts";
import { type Asked, type ExecutionRow, type RecallRow, recallTable } from "../schema.ts";
import { recording, startWithWays } from "./elsewhere.fixture.ts";

const REQUEST = Buffer.alloc(16, 7).toString("base64url");
const way = { origin: "n-o", repeatable: undefined };

/** What is owed to those who were asked, as it is durable. */
function followed(runtime: PluginRuntime): Map<string, RecallRow> {
  const owed = new Map<string, RecallRow>();
  runtime.follow([recallTable], (rows) => {
    for (const { key, row } of rows) {
      if (row === undefined) owed.delete(key);
      else owed.set(key, row as RecallRow);
    }
  });
  return owed;
}

const turns = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

const hanging = () => new Promise<Carried>(() => {});

describe("what was cancelled is owed to all that may still see to it", () => {
  test("also after a restart, until each was told", async () => {
    const log = memoryLog();
    const carrier = recording(async ({ asks }) => {
      await asks("n-b", { ...way });
      await asks("n-c", { ...way, open: ["n-b"] });
      await asks("n-d", { ...way, open: ["n-c", "n-b"] });
      sent.resolve();
      return hanging();
    });
    const sent = Promise.withResolvers<void>();
    const first = await startWithWays({ carrier, log });
    await first.learn("greet");
    const asked = faultFrom(first.app.action.perform({ name: "greet", input: 3 }));
    await sent.promise;
    const { key, request } = carrier.calls[0] as CarriedCall;
    const id = siblingId(key, "x");
    await first.app.execution.cancel({ id });
    expect(await asked).toMatchObject({ code: "CANCELLED" });
    const second = await startWithWays({ log: reopened(log), clock: first.clock });
    const owed = followed(second.runtime);
    await turns();
    const until = first.clock.now() + 600_000;
    expect([...owed]).toMatchObject([[id, { action: "greet", under: key, request, until }]]);
    expect(new Set(owed.get(id)?.nodes)).toEqual(new Set(["n-b", "n-c", "n-d"]));
    const untold = async () => ((await second.app.execution.show({ id })) as { untold?: string[] }).untold;
    expect(await untold()).toHaveLength(3);
    const told = (node?: string) =>
      second.runtime.note({
        resource: "execution",
        action: "recalled",
        data: { execution: id, ...(node && { node }) },
      });
    await told("n-c");
    await turns();
    expect(owed.get(id)?.nodes).toEqual(["n-d", "n-b"]);
    await told();
    await told("n-b");
    await turns();
    expect([owed.size, await untold()]).toEqual([0, undefined]);
    await second.hub.stop();
  });

  test("and of what nobody knows any more: a node that died in between may have left it running there", async () => {
    const log = memoryLog();
    const carrier = recording(hanging);
    const first = await startWithWays({ carrier, log });
    await first.learn("greet");
    const { execution: id } = await first.app.action.perform({ name: "greet" }, { wait: 0 });
    await carrier.asked(1);
    const second = await startWithWays({ carrier: recording(hanging), log: reopened(log), clock: first.clock });
    const owed = followed(second.runtime);
    expect(await second.app.execution.show({ id })).toMatchObject({ state: "ambiguous" });
    await second.app.execution.cancel({ id });
    expect(await second.app.execution.show({ id })).toMatchObject({ state: "failed", error: { code: "CANCELLED" } });
    await turns();
    expect(owed.get(id)?.nodes).toEqual(["n-b"]);
    expect(await faultFrom(second.app.execution.cancel({ id }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
    await second.hub.stop();
  });
});

test("of what was cancelled, tried again and cancelled again, each try is taken back", async () => {
  const carrier = recording(hanging);
  const { app, runtime, learn, hub } = await startWithWays({ carrier });
  await learn("greet");
  const { execution: id } = await app.action.perform({ name: "greet" }, { wait: 0 });
  const owed = followed(runtime);
  for (let times = 1; times <= 3; times++) {
    await carrier.asked(times);
    await app.execution.cancel({ id });
    if (times < 3) await app.execution.retry({ id }, { wait: 0 });
  }
  await turns();
  const asked = carrier.calls.map(({ key, request }) => [key, request as string]);
  expect(new Set(asked.map(String)).size).toBe(3);
  expect([...owed.values()].map(({ under, request }) => [under, request as string])).toEqual(asked);
  for (const [key, nth] of [...owed.keys()].map((key, nth) => [key, nth] as const)) {
    expect((await app.execution.show({ id })) as { untold?: string[] }).toMatchObject({ untold: ["n-b"] });
    await runtime.note({ resource: "execution", action: "recalled", data: { execution: key, node: "n-b" } });
    await turns();
    expect(owed.size).toBe(2 - nth);
  }
  await hub.stop();
});

test("an execution of an earlier version is cancelled, asked again and taken back by whom its row names alone", async () => {
  const log = memoryLog();
  const first = await startWithWays({ carrier: recording(hanging), log });
  await first.learn("greet");
  const { execution: id } = await first.app.action.perform({ name: "greet" }, { wait: 0 });
  const { execution: other } = await first.app.action.perform({ name: "greet" }, { wait: 0 });
  // As it had rows: without the request's time, `open` or whom else.
  const earlier = altered(reopened(log), {
    *snapshot(tables) {
      for (const row of log.snapshot(tables) as Iterable<StoredRow>) {
        if (row.table !== "execution") yield row;
        else {
          const { elsewhere, ...rest } = JSON.parse(row.json) as ExecutionRow;
          const { by, to, request } = elsewhere as Asked;
          yield { ...row, json: JSON.stringify({ ...rest, elsewhere: { by, to, request } }) };
        }
      }
    },
  });
  const carrier = recording(async () => ({ output: 1, via: "berlin" }));
  const second = await startWithWays({ carrier, log: earlier, clock: first.clock });
  const owed = followed(second.runtime);
  expect(await second.app.execution.show({ id })).toMatchObject({ state: "ambiguous" });
  expect(await second.app.execution.retry({ id: other })).toMatchObject({ output: 1 });
  expect(carrier.calls[0]).toMatchObject({ again: "n-b", open: [], key: siblingId(other, "m") });
  await second.app.execution.cancel({ id });
  await turns();
  const row = { nodes: ["n-b"], under: siblingId(id, "m"), until: first.clock.now() + 600_000 };
  expect([...owed]).toMatchObject([[id, row]]);
  await second.hub.stop();
});

describe("a neighbour takes back", () => {
  const perform: Message = { resource: "action", action: "perform", data: { name: "greet" } };
  const recall = (under: string, more: object = { request: REQUEST }): Message => ({
    ...{ resource: "action", action: "recall" },
    data: { name: "greet", under, ...more },
  });
  const by = (node: string) => ({ via: [node], hops: 1, request: REQUEST });
  const from = (node: string) => ({ via: [node], hops: 1 });

  async function performer() {
    let aborted = 0;
    const waits = protocol("waits", ({ signal }) => {
      signal.addEventListener("abort", () => aborted++);
      return hanging();
    });
    const node = await startWithWays({ protocols: [waits] });
    await node.app.action.register({ name: "greet", protocol: "waits" });
    const all = ["action.perform", "action.recall"];
    const as = (principal: string, allow = all) => node.app.grant.create({ principal, allow });
    return { ...node, as, aborted: () => aborted };
  }

  test("what another way began of the same request, if it may perform it itself; whoever waits is told", async () => {
    const { runtime, as, aborted, hub } = await performer();
    const [b, c] = [await as("by-b"), await as("by-c")];
    const first = faultFrom(runtime.apply(perform, b, { key: "kb" }, by("n-b")));
    const joined = faultFrom(runtime.apply(perform, c, { key: "kc" }, by("n-c")));
    await turns();
    const nobody = await as("by-d", ["action.recall", "action.perform:other"]);
    for (const [said, principal, origin] of [
      [recall("kc"), nobody, from("n-d")],
      // Only nodes speak of requests.
      [recall("kc"), c, {}],
      [recall("kc", {}), c, from("n-c")],
      [recall("kc", { request: Buffer.alloc(16, 8).toString("base64url") }), c, from("n-c")],
    ] as const)
      expect(await runtime.apply(said, principal, {}, origin)).toEqual({ recalled: false });
    expect(aborted()).toBe(0);
    expect(await runtime.apply(recall("kc"), c, {}, from("n-c"))).toEqual({ recalled: true });
    for (const told of await Promise.all([first, joined])) {
      expect([told.code, Object.keys(Object(told.details))]).toEqual(["CANCELLED", ["execution"]]);
      // How this node calls its other peers is no business of theirs.
      expect(told.message).toEndWith(" was cancelled by whoever asked for it");
    }
    expect(aborted()).toBe(1);
    await hub.stop();
  });

  test("what it had handed on by that key, also where nobody knows it any more; and nothing of others'", async () => {
    const log = memoryLog();
    const first = await startWithWays({ carrier: recording(hanging), log });
    await first.learn("greet");
    const allow = ["action.perform", "action.recall"];
    const [b, c] = [
      await first.app.grant.create({ principal: "by-b", allow }),
      await first.app.grant.create({ principal: "by-c", allow }),
    ];
    for (const key of ["k1", "k2"]) first.runtime.apply(perform, b, { key }, by("n-x")).catch(() => {});
    first.runtime.apply(perform, c, { key: "k1" }, by("n-y")).catch(() => {});
    await turns();
    const second = await startWithWays({ carrier: recording(hanging), log: reopened(log), clock: first.clock });
    const owed = followed(second.runtime);
    expect(await second.runtime.apply(recall("k1"), b, {}, from("n-x"))).toEqual({ recalled: true });
    await turns();
    expect([...owed.values()].map(({ nodes, request, via }) => [nodes, request, via])).toEqual([
      [["n-b"], REQUEST, ["n-x"]],
    ]);
    const { items } = (await second.app.execution.list({ state: "ambiguous" })) as { items: { principal: string }[] };
    expect(items.map(({ principal }) => principal).sort()).toEqual(["by-b", "by-c"]);
    await second.hub.stop();
  });
});
