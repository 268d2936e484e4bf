// Idempotency keys: a repeat joins the first, whoever asks at whatever moment; nobody takes another's.

import { describe, expect, test } from "bun:test";
import { memoryLog } from "../log/memory/memory-log.ts";
import { done, next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { faultyLog, gatedLog, logWith, reopened } from "../testing/faulty-log.fixture.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../testing/start.fixture.ts";
import { KEY_TABLE } from "./kernel-tables.ts";
import { Keys, keyRowKey } from "./keys.ts";

const write = (name: string, text = "") => ["note.write", { name, text }] as const;

test("a repeat is answered what the first was, and decided once", async () => {
  const node = await start([admits(), notes()]);
  const twins = [node.send(...write("a"), { key: "k" }), node.send(...write("a"), { key: "k" })];
  expect(await Promise.all(twins)).toEqual([{ name: "a" }, { name: "a" }]);
  expect(await node.send(...write("a"), { key: "k" })).toEqual({ name: "a" });
  expect(await node.history()).toEqual(["note.write done"]);
});

test("another message under the same key is refused, and an entry", async () => {
  const node = await start([admits(), notes()]);
  await node.send(...write("a"), { key: "k" });
  expect(await codeOf(node.send(...write("b"), { key: "k" }))).toBe("KEY_REUSED");
  expect(await node.history()).toEqual(["note.write done", "note.write refused"]);
});

test("another principal's key is another key, and tells nothing of the first", async () => {
  const node = await start([admits(), notes()]);
  await node.send(...write("a"), { key: "k" });
  expect(await node.send(...write("b"), { key: "k", as: "bob" })).toEqual({ name: "b" });
});

test("a refused message leaves its key free", async () => {
  const node = await start([admits(), notes()]);
  await node.send(...write("a"));
  expect(await codeOf(node.send(...write("a"), { key: "k" }))).toBe("NOTE_THERE");
  expect(await node.send(...write("b"), { key: "k" })).toEqual({ name: "b" });
});

test("who has lost the right to ask is refused, also with a key that was used", async () => {
  const denied = new Set<string>();
  const node = await start([admits(denied), notes()]);
  await node.send(...write("a"), { key: "k" });
  denied.add("ada");
  expect(await codeOf(node.send(...write("a"), { key: "k" }))).toBe("DENIED");
});

test("a key survives a restart", async () => {
  const log = memoryLog();
  await (await start([admits(), notes()], { log })).send(...write("a"), { key: "k" });
  const node = await start([admits(), notes()], { log: reopened(log), seed: 2 });
  expect(await node.send(...write("a"), { key: "k" })).toEqual({ name: "a" });
  expect(await codeOf(node.send(...write("b"), { key: "k" }))).toBe("KEY_REUSED");
  expect(await node.history()).toEqual(["note.write done", "note.write refused"]);
});

test("a key whose append failed is free", async () => {
  const disk = faultyLog();
  const node = await start([admits(), notes()], { log: disk.log });
  disk.full = true;
  expect(await codeOf(node.send(...write("a"), { key: "k" }))).toBe("LOG_UNAVAILABLE");
  disk.full = false;
  expect(await node.send(...write("b"), { key: "k" })).toEqual({ name: "b" });
});

test("a key whose message could not be written down is free", async () => {
  const things = table<unknown>("thing");
  const odd = plugin("odd", {
    needs: [authority],
    tables: [things],
    decide: ({ message, state }) =>
      (message.data as { name?: string }).name === "odd" ? next({ state: state.put(things, "t", 1n) }) : next(),
  });
  const node = await start([admits(), odd, notes()]);
  expect(await codeOf(node.send(...write("odd"), { key: "k" }))).toBe("INTERNAL");
  expect(await node.send(...write("b"), { key: "k" })).toEqual({ name: "b" });
});

test("a repeat of one that is pending waits with it", async () => {
  const deals = plugin("deals", {
    needs: [authority],
    messages: { deal: { open: takes(), close: takes("id") } },
    decide({ message }) {
      if (message.action === "open") return next({ data: { deal: 1 }, pending: true });
      if (message.action === "close")
        return done({ settles: [{ id: (message.data as { id: string }).id, data: "closed" }] });
      return next();
    },
  });
  const node = await start([admits(), deals]);
  const sent = node.send("deal.open", {}, { key: "k" });
  await settled();
  const repeat = node.send("deal.open", {}, { key: "k" });
  const accepting = node.send<{ message: string }>("deal.open", {}, { key: "k", wait: 0 });
  await settled();
  node.time.advance(0);
  const accepted = await accepting;
  expect(accepted).toMatchObject({ pending: true });
  await node.send("deal.close", { id: accepted.message });
  expect(await Promise.all([sent, repeat])).toEqual(["closed", "closed"]);
  expect(await node.send("deal.open", {}, { key: "k" })).toBe("closed");
  expect(await node.history()).toEqual(["deal.open done", "deal.close done"]);
});

describe("twins that wait before they are decided", () => {
  const prepared = { ...notes(), prepare: { "note.write": async () => ({ read: true }) } };

  test.each([
    ["the same", "a", 2],
    ["another", "b", 1],
  ])("prepared at once, %s message under one key is decided once", async (_, name, answered) => {
    const node = await start([admits(), prepared]);
    const sent = [node.send(...write("a"), { key: "k" }), node.send(...write(name), { key: "k" })] as Promise<{
      name?: string;
    }>[];
    const answers = await Promise.all(sent.map((one) => one.catch(({ code }) => code)));
    expect(answers.filter((one) => one.name === "a")).toHaveLength(answered);
    if (answered === 1) expect(answers[1]).toBe("KEY_REUSED");
    expect((await node.history()).filter((one) => one.endsWith("done"))).toHaveLength(1);
  });

  test("looked up in a log that answers later, they are decided once, and no time runs backwards", async () => {
    const inner = memoryLog();
    const waiting: (() => void)[] = [];
    const log = logWith(inner, {
      row: (table, key) =>
        new Promise((resolve) => waiting.push(() => resolve(inner.row(table, key) as string | undefined))),
    });
    const node = await start([admits(), notes()], { log });
    const sent = [node.send(...write("a"), { key: "k" }), node.send(...write("a"), { key: "k" })];
    await settled();
    node.time.advance(1000);
    await node.send(...write("c"));
    for (const answer of waiting.splice(0)) answer();
    expect(await Promise.all(sent)).toEqual([{ name: "a" }, { name: "a" }]);
    expect((await node.history()).filter((one) => one.endsWith("done"))).toHaveLength(2);
  });
});

test("the window is bounded, and what left it while it was looked up is looked up again", async () => {
  const gate = gatedLog();
  let late: ((json: undefined) => void) | undefined;
  const keys = new Keys(logWith(gate.log, { row: () => new Promise((resolve) => (late = resolve)) }));
  const found = keys.find("early");
  const use = (seq: number) => keys.use(seq === 1 ? "early" : `key-${seq}`, { id: `m-${seq}`, digest: "d" }, seq);
  for (let seq = 1; seq <= 8192; seq++) use(seq);
  keys.committed(8192);
  expect(keys.recent("early")).toEqual({ id: "m-1", digest: "d", seq: 1 });
  for (let seq = 8193; seq <= 16_384; seq++) use(seq);
  keys.committed(16_384);
  expect([keys.recent("early"), keys.recent("key-8193")?.id]).toEqual([undefined, "m-8193"]);
  const first = late;
  first?.(undefined);
  await settled();
  expect(late).not.toBe(first as never);
  (late as unknown as (json: string) => void)('{"id":"m-1","digest":"d","seq":1}');
  expect(await found).toEqual({ id: "m-1", digest: "d", seq: 1 });
});

test("what is not durable stays in the window, and leaves it where it is undone", () => {
  const keys = new Keys(memoryLog());
  const use = (from: number, to: number): void => {
    for (let seq = from; seq <= to; seq++) keys.use(`key-${seq}`, { id: `m-${seq}`, digest: "d" }, seq);
  };
  use(1, 8192);
  keys.committed(4096);
  use(8193, 16_384);
  keys.committed(8191);
  expect(keys.recent("key-8192")?.id).toBe("m-8192");
  keys.undo(8191);
  expect([keys.recent("key-8192"), keys.recent("key-8193"), keys.recent("key-1")?.id]).toEqual([
    undefined,
    undefined,
    "m-1",
  ]);
});

describe("where the row of a key lies", () => {
  const id = (time: string, random = "0000000") => `m-${time}${random}`;

  test("a message's id by its time, whosever it is, and any other key by its hash alone", () => {
    const [early, late] = [id("01J8AAAAA"), id("01J8AAAAB")];
    for (const [one, other] of [
      ["ada", "bob"],
      ["bob", "ada"],
    ] as const)
      expect(keyRowKey(one, early) < keyRowKey(other, late)).toBe(true);
    expect(keyRowKey("ada", early)).not.toBe(keyRowKey("bob", early));
    expect(keyRowKey("ada", "k")).toMatch(/^[\w-]{43}$/);
  });

  test("one that was written before rows lay by time is found", async () => {
    const key = id("01J8AAAAA");
    const log = memoryLog();
    await (await start([admits(), notes()], { log })).send(...write("a"), { key });
    const now = keyRowKey("ada", key);
    const before = now.slice(-43);
    const old = logWith(reopened(log), {
      row: (name, rowKey) =>
        name === KEY_TABLE ? (rowKey === before ? log.row(name, now) : undefined) : log.row(name, rowKey),
    });
    const node = await start([admits(), notes()], { log: old, seed: 2 });
    expect(await node.send(...write("a"), { key })).toEqual({ name: "a" });
    expect(await codeOf(node.send(...write("b"), { key }))).toBe("KEY_REUSED");
  });

  test("one that is looked up later too", async () => {
    const asked: string[] = [];
    const keys = new Keys(
      logWith(memoryLog(), {
        row: async (_, rowKey) => {
          asked.push(rowKey);
          return rowKey.includes(".") ? undefined : '{"id":"m-1","digest":"d","seq":1}';
        },
      }),
    );
    const used = await keys.repeated({ principal: "ada", key: id("01J8AAAAA"), request: undefined });
    expect([used?.id, asked.length]).toEqual(["m-1", 2]);
  });
});
