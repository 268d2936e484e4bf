// A log that forgets: how far it may, what of it is still proven and still replays, and what asks for what is gone is told.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../../log/log.ts";
import { memoryLog } from "../../log/memory/memory-log.ts";
import { sqliteLog } from "../../log/sqlite/sqlite-log.ts";
import { next } from "../../plugin/result.ts";
import { authority } from "../../plugin/token.ts";
import { cells, cellTable } from "../../testing/cells.fixture.ts";
import { checked, compact, DAY, filled } from "../../testing/compaction.fixture.ts";
import { storedRows } from "../../testing/evidence.fixture.ts";
import { faultyLog, logWith, reopened } from "../../testing/faulty-log.fixture.ts";
import { byHand, jobs } from "../../testing/jobs.fixture.ts";
import { ManualTime } from "../../testing/manual-time.fixture.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../../testing/start.fixture.ts";
import { explain } from "../explain/explain.ts";
import { KEY_TABLE, OUTCOME_TABLE } from "../kernel-tables.ts";
import type { Trimmed } from "./decide-compaction.ts";

const home = mkdtempSync(join(tmpdir(), "capstan-compaction-"));
afterAll(() => rmSync(home, { recursive: true }));
let files = 0;
const fileLog = () => sqliteLog(join(home, `${files++}.db`));

describe.each([
  ["a log in memory", memoryLog],
  ["a log in a file", fileLog],
])("%s", (_, make) => {
  test("forgets what is asked, and what is left is proven, replays, and starts again", async () => {
    const time = new ManualTime();
    const node = await filled({ log: make(), time }, 1500);
    const before = await storedRows(node.log, [cellTable.name]);
    time.advance(DAY + 1);
    const { before: asked, first, stoppedBy } = await compact(node, { before: 1000 });
    expect([asked, stoppedBy, node.log.first]).toEqual([1000, undefined, first]);
    expect(first).toBeGreaterThan(500);
    expect(first).toBeLessThanOrEqual(1000);
    expect(await node.log.read(first - 1, { limit: 1 })).toEqual([]);
    expect(await storedRows(node.log, [cellTable.name])).toEqual(before);
    await checked(node);
    // A key for every entry that is kept, and none for the others.
    expect(Object.keys(await storedRows(node.log, [KEY_TABLE]))).toHaveLength(1501 - first + 1);

    await node.send("cell.set", { name: "new", text: "after" });
    await checked(node);
    expect(node.errors).toEqual([]);
  });

  test("is forgotten again and again, as far as its newest entries", async () => {
    const time = new ManualTime();
    const node = await filled({ log: make(), time }, 700);
    for (let round = 0; round < 3; round++) {
      time.advance(DAY + 1);
      const { before } = await compact(node);
      expect(before).toBe(node.log.head - 1);
      await checked(node);
      for (let group = 0; group < 6; group++) {
        const sent = Array.from({ length: 100 }, (_, i) => ({ name: `c${i % 7}`, text: `${round} ${group} ${i}` }));
        await Promise.all(sent.map((data) => node.send("cell.set", data)));
      }
    }
    expect(node.log.first).toBeGreaterThan(1200);
    await checked(node);
  });
});

test("after a restart everything is as it was", async () => {
  const time = new ManualTime();
  const path = join(home, "restart.db");
  const node = await filled({ log: sqliteLog(path), time }, 900);
  time.advance(2 * DAY);
  const { first } = await compact(node);
  const rows = [...node.orchestrator.reader.rows(cellTable)].sort();
  await node.orchestrator.stop();
  const again = await start([admits(), cells()], { log: sqliteLog(path), time, seed: 2 });
  expect([again.log.first, [...again.orchestrator.reader.rows(cellTable)].sort()]).toEqual([first, rows]);
  await again.send("cell.clear", { name: "c1" });
  await checked(again);
  await again.orchestrator.stop();
});

describe("what is gone", () => {
  test("is said to be gone: to whoever attaches, and whoever asks why", async () => {
    const time = new ManualTime();
    const node = await start([admits(), cells()], { time });
    await node.send("cell.set", { name: "a", text: "1" });
    const [, stored] = await node.log.read(1, { limit: 2 });
    const { id } = JSON.parse(stored?.text.split("\n")[0] as string) as { id: string };
    time.advance(1000);
    for (let i = 0; i < 9; i++) await node.send("cell.set", { name: "a", text: `${i}` });
    await compact(node, { before: 8 });
    expect(await codeOf(node.send("message.attach", { id }))).toBe("HISTORY_GONE");
    expect(await codeOf(explain(node.orchestrator.reader, id))).toBe("HISTORY_GONE");
    expect(await codeOf(node.send("log.redact", { entry: 2, parts: ["body"], reason: "x" }))).toBe("HISTORY_GONE");
    expect(await codeOf(node.send("message.attach", { id: "m-ZZZZZZZZZ0000000" }))).toBe("MESSAGE_NOT_FOUND");
  });

  test("answers for no key any more: a repeat is a message of its own", async () => {
    for (const log of [memoryLog(), fileLog()]) {
      const time = new ManualTime();
      const node = await filled({ log, time }, 600);
      const set = (key: string) => node.send("cell.set", { name: key, text: "another" }, { key });
      expect(await codeOf(set("k0"))).toBe("KEY_REUSED");
      time.advance(2 * DAY);
      await compact(node);
      expect(node.log.first).toBeGreaterThan(10);
      await set("k0");
      const used = node.log.head;
      expect(await codeOf(node.send("cell.set", { name: "k0", text: "else" }, { key: "k0" }))).toBe("KEY_REUSED");
      await checked(node);
      // Written again since, it is not taken for the one that is gone.
      time.advance(2 * DAY);
      await compact(node, { before: used });
      expect(node.log.first).toBeLessThanOrEqual(used);
      expect(await codeOf(node.send("cell.set", { name: "k0", text: "else" }, { key: "k0" }))).toBe("KEY_REUSED");
      await checked(node);
      await node.orchestrator.stop();
    }
  });

  test("takes with it where late outcomes lie", async () => {
    const { work, running } = byHand();
    const node = await start([admits(), cells(), jobs(work)]);
    void node.send("job.run");
    await settled();
    for (let i = 0; i < 1000; i++) void node.send("cell.set", { name: "a", text: `${i}` });
    await settled();
    running[0]?.end("late");
    await settled();
    expect(Object.keys(await storedRows(node.log, [OUTCOME_TABLE]))).toHaveLength(1);
    await compact(node);
    expect(Object.keys(await storedRows(node.log, [OUTCOME_TABLE]))).toHaveLength(0);
    await checked(node, [cellTable.name, "job"]);
  });
});

test("where an outcome lies is kept while the newest entry that says so is", async () => {
  const promises = plugin("promises", {
    needs: [authority],
    messages: { promise: { make: takes(), keep: takes("id") } },
    decide({ message }) {
      if (message.resource !== "promise") return next();
      const { id } = message.data as { id: string };
      return message.action === "make" ? next({ pending: true, data: {} }) : next({ settles: [{ id }] });
    },
  });
  const log = memoryLog();
  const first = await start([admits(), promises], { log });
  void first.send("promise.make").catch(() => {});
  await settled();
  const { id } = JSON.parse((await log.read(2, { limit: 1 }))[0]?.text.split("\n")[0] as string) as { id: string };
  // After a restart nobody knows any more where the message stands: where it is settled is written down.
  const node = await start([admits(), promises], { log: reopened(log), seed: 2 });
  for (let i = 0; i < 2; i++) await node.send("promise.keep", { id });
  expect(await storedRows(log, [OUTCOME_TABLE])).toEqual({ [`${OUTCOME_TABLE} ${id}`]: "4" });
  await compact(node, { before: 4 });
  expect(await storedRows(log, [OUTCOME_TABLE])).toEqual({ [`${OUTCOME_TABLE} ${id}`]: "4" });
  await checked(node);
  await compact(node, { before: 5 });
  expect(await storedRows(log, [OUTCOME_TABLE])).toEqual({});
  await checked(node);
});

describe("rows of a plugin that is gone", () => {
  test("are stated again all the same, and are there when it is back", async () => {
    const log = memoryLog();
    const time = new ManualTime();
    const first = await filled({ log, time }, 30);
    const rows = await storedRows(log, [cellTable.name]);
    time.advance(2 * DAY);
    const without = await start([admits()], { log: reopened(log), time, seed: 2 });
    await compact(without);
    expect(log.first).toBeGreaterThan(30);
    await checked(without);
    const again = await start([admits(), cells()], { log: reopened(log), time, seed: 3 });
    expect(Object.keys(rows)).toHaveLength(30);
    expect([...again.orchestrator.reader.rows(cellTable)]).toHaveLength(30);
    await checked(again);
    expect(first.errors).toEqual([]);
  });
});

describe("while it forgets", () => {
  /** A log whose trimming the test lets on, slice by slice. */
  function slowly(inner: Log) {
    const waiting: (() => void)[] = [];
    const trim = async (...asked: Parameters<Log["trim"]>) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return inner.trim(...asked);
    };
    return { log: logWith(inner, { trim }), waiting };
  }

  async function slices(waiting: (() => void)[], count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      while (waiting.length === 0) await settled();
      waiting.shift()?.();
    }
  }

  test("others are served between two slices, and it is one at a time", async () => {
    const { log, waiting } = slowly(memoryLog());
    const node = await filled({ log }, 2000, [admits(), cells(() => undefined)]);
    node.time.advance(2 * DAY);
    const done = compact(node);
    await slices(waiting, 2);
    await node.send("cell.set", { name: "meanwhile", text: "1" });
    expect(await codeOf(node.send("log.compact"))).toBe("LOG_COMPACTING");
    expect(log.first).toBe(1025);
    await checked(node);
    await slices(waiting, 2);
    expect((await done).first).toBe(2002);
    await checked(node);
  });

  test("a restart goes on where it was, and whoever attaches is told", async () => {
    const inner = memoryLog();
    const { log, waiting } = slowly(inner);
    const node = await filled({ log }, 2000);
    node.time.advance(2 * DAY);
    void compact(node).catch(() => {});
    await slices(waiting, 2);
    await settled();
    expect(inner.first).toBe(1025);
    const asked = (await inner.read(inner.head, { limit: 1, reverse: true }))[0]?.text as string;
    const { id, message } = JSON.parse(asked.split("\n")[0] as string) as { id: string; message: string };
    expect(message).toBe("log.compact");

    const again = await start([admits(), cells()], { log: reopened(inner), time: node.time, seed: 2 });
    expect(await again.send<Trimmed>("message.attach", { id })).toEqual({ before: 2002, first: 2002 } as never);
    expect([inner.first, again.errors]).toEqual([2002, []]);
    await checked(again);
  });

  test("one that is undone has forgotten nothing", async () => {
    const disk = faultyLog();
    const node = await filled({ log: disk.log }, 20);
    node.time.advance(2 * DAY);
    // Prepared for while the disk still is as it was.
    const done = codeOf(compact(node));
    disk.full = true;
    expect(await done).toBe("LOG_UNAVAILABLE");
    await settled();
    expect(disk.log.first).toBe(1);
    disk.full = false;
    await node.send("cell.set", { name: "a", text: "1" });
    expect((await compact(node)).first).toBe(disk.log.head - 1);
    await checked(node);
  });

  test("what is decided meanwhile does not hinder it: under load it is decided at once", async () => {
    const { work, running } = byHand();
    const log = fileLog();
    const node = await filled({ log }, 600, [admits(), cells(), jobs(work)]);
    node.time.advance(2 * DAY);
    const before = node.log.head;
    let busy = true;
    const load = (async () => {
      for (let i = 0; busy || i < 50; i++) {
        const run = node.send("job.run");
        await node.send("cell.set", { name: `load ${i % 9}`, text: `${i}` });
        for (const one of running.splice(0)) one.end("ok");
        await run;
      }
    })();
    const { before: asked } = await compact(node, { before: before });
    busy = false;
    await load;
    expect(asked).toBe(before);
    await checked(node, [cellTable.name, "job"]);
    await node.orchestrator.stop();
  });
});
