// What is carried out before its entry is made: one entry tells of both, whoever asks later is told the same, and whatever
// is more than a settlement is recorded as two.

import { expect, test } from "bun:test";
import { decodeEntry } from "../log/entry.ts";
import type { NewEntry } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { faultyLog, logWith, reopened } from "../testing/faulty-log.fixture.ts";
import { byHand, jobs } from "../testing/jobs.fixture.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, settled, start } from "../testing/start.fixture.ts";
import { effectTable } from "./kernel-tables.ts";
import type { Trace } from "./recorder.ts";

const REPLAYABLE = { replayable: true };

const traceOf = async (node: Awaited<ReturnType<typeof start>>, seq: number): Promise<Trace> => {
  const [entry] = (await node.log.read(seq, { limit: 1 })).map(decodeEntry);
  return entry?.part("t") as Trace;
};

test("its entry has the outcome and what every plugin said of it, and no row of what came and went", async () => {
  const node = await start([admits(), jobs(() => "ok", REPLAYABLE)]);
  expect(await node.send("job.run")).toBe("ok");
  const [entry] = (await node.log.read(2)).map(decodeEntry);
  expect(entry?.stored("r")).toBeUndefined();
  expect(await traceOf(node, 2)).toMatchObject({
    verdicts: [{ plugin: "admits" }, { plugin: "jobs", wrote: 1 }],
    outcome: { message: "job.done", data: "ok", verdicts: [{ plugin: "admits" }, { plugin: "jobs", wrote: 1 }] },
  });
  expect([...node.orchestrator.reader.rows(effectTable)]).toEqual([]);
  // Its trace is put together by hand; whoever reads the log finds what `JSON.stringify` would have made.
  const [stored] = await node.log.read(2);
  for (const line of (stored?.text ?? "").split("\n").slice(1)) {
    const json = line.slice(1 + 22);
    expect(JSON.stringify(JSON.parse(json))).toBe(json);
  }
});

test("a repeat of its key is answered the same, also after a restart", async () => {
  const log = memoryLog();
  const runs: string[] = [];
  const work = () => `run ${runs.push("")}`;
  const node = await start([admits(), jobs(work, REPLAYABLE)], { log });
  expect(await node.send("job.run", {}, { key: "k" })).toBe("run 1");
  expect(await node.send("job.run", {}, { key: "k" })).toBe("run 1");
  const again = await start([admits(), jobs(work, REPLAYABLE)], { log: reopened(log), seed: 2 });
  expect(await again.send("job.run", {}, { key: "k" })).toBe("run 1");
  expect(runs).toHaveLength(1);
});

test("if its append fails, nothing of it is left and the caller is told so", async () => {
  const disk = faultyLog();
  const node = await start([admits(), jobs(() => "ok", REPLAYABLE)], { log: disk.log });
  disk.full = true;
  expect(await codeOf(node.send("job.run", {}, { key: "k" }))).toBe("LOG_UNAVAILABLE");
  disk.full = false;
  expect(await node.history()).toEqual([]);
  expect(await node.send("job.run", {}, { key: "k" })).toBe("ok");
  expect(await node.history()).toEqual(["job.run done"]);
});

test("what its handler asks for is decided after the entry that led to it", async () => {
  let asked: Promise<unknown> | undefined;
  const node = await start([
    admits(),
    jobs((_owed, runtime) => {
      const message = { resource: "note", action: "write", data: { name: "a", text: "b" } };
      asked = runtime.apply(message, { principal: "bob", grant: "g" });
      return "ok";
    }, REPLAYABLE),
    notes(),
  ]);
  await node.send("job.run");
  await asked;
  await settled();
  expect(await node.history()).toEqual(["job.run done", "note.write done"]);
});

test("an outcome from which more follows is a message of its own", async () => {
  const follows = plugin("follows", {
    needs: [authority],
    decide({ message }) {
      if (message.resource !== "job" || message.action !== "done") return next();
      const as = { principal: "bob", grant: "g" };
      return next({ then: [{ message: { resource: "note", action: "write", data: { name: "a", text: "b" } }, as }] });
    },
  });
  const node = await start([admits(), jobs(() => "ok", REPLAYABLE), follows, notes()]);
  expect(await node.send("job.run")).toBe("ok");
  expect(await node.history()).toEqual(["job.run done", "job.done done", "note.write done"]);
});

test("what throws at once is recorded as failed", async () => {
  const fails = (): string => {
    throw new Error("no");
  };
  const node = await start([admits(), jobs(fails, REPLAYABLE)]);
  expect(await codeOf(node.send("job.run"))).toBe("JOB_FAILED");
  expect(await node.history()).toEqual(["job.run done", "job.failed done"]);
});

test("one that takes its time is two entries and one append: its rows come and go in memory", async () => {
  const appends: (readonly [entries: number, rows: number])[] = [];
  const inner = memoryLog();
  const log = logWith(inner, {
    append(head, entries) {
      appends.push([entries.length, coalesced(entries)]);
      return inner.append(head, entries);
    },
  });
  const hand = byHand();
  const node = await start([admits(), jobs(hand.work, REPLAYABLE)], { log, gathers: true });
  appends.length = 0;
  const sent = node.send("job.run");
  await settled();
  expect([hand.running.length, appends]).toEqual([1, []]);
  hand.running[0]?.end("ok");
  expect(await sent).toBe("ok");
  expect(appends).toEqual([[2, 0]]);
});

test("one that takes its time is durable all the same, and at once where somebody waits for that", async () => {
  const hand = byHand();
  const node = await start([admits(), jobs(hand.work, REPLAYABLE)], { gathers: true });
  const { committer } = node.orchestrator;
  expect(await node.send("job.run", {}, { wait: 0 })).toMatchObject({ pending: true });
  expect(committer.durable).toBe(2);
  void node.send("job.run").catch(() => {});
  await settled();
  expect([committer.durable, committer.tip]).toEqual([2, 3]);
  node.gather();
  expect(committer.durable).toBe(3);
});

/** How many rows a group leaves. */
function coalesced(entries: readonly NewEntry[]): number {
  const last = new Map<string, string | undefined>();
  for (const { rows } of entries) for (const { table, key, json } of rows) last.set(`${table} ${key}`, json);
  return [...last.values()].filter((json) => json !== undefined).length;
}
