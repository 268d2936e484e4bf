// What is owed across a stop and a crash: replayable effects run again, of the others it is recorded that nobody can know.

import { expect, test } from "bun:test";
import { memoryLog } from "../log/memory/memory-log.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import type { Effect } from "../plugin/result.ts";
import { reopened } from "../testing/faulty-log.fixture.ts";
import { byHand, jobs, jobTable } from "../testing/jobs.fixture.ts";
import { T0 } from "../testing/manual-time.fixture.ts";
import { admits, codeOf, settled, start } from "../testing/start.fixture.ts";
import { effectTable } from "./kernel-tables.ts";

/** A job that runs in one process, which dies, and a second process on the same log. */
async function crashed(effect: Partial<Effect>) {
  const log = memoryLog();
  const before = byHand();
  const first = await start([admits(), jobs(before.work, effect)], { log });
  await first.send("job.run", {}, { wait: 0, correlation: "c-1" });
  const [[id]] = [...first.orchestrator.reader.rows(jobTable)] as [[string, string]];
  const after = byHand();
  const again = () => start([admits(), jobs(after.work, effect)], { log: reopened(log), seed: 2, time: first.time });
  return { log, id, first, before, after, again };
}

test("a replayable effect runs again, as it was owed", async () => {
  const { id, before, after, again } = await crashed({ replayable: true, deadline: T0 + 5000 });
  const second = await again();
  expect(after.running).toHaveLength(1);
  const was = before.running[0]?.effect as OwedEffect;
  const owner = { node: "n-embedded", epoch: 2 };
  expect(after.running[0]?.effect).toMatchObject({ ...was, owner, committedBy: 3 } as object);
  after.running[0]?.end("ok");
  expect(await second.send("message.attach", { id })).toBe("ok");
});

test("any other is recorded as lost, and never runs by itself", async () => {
  const { id, after, again } = await crashed({});
  const second = await again();
  expect(await codeOf(second.send("message.attach", { id }))).toBe("JOB_LOST");
  await settled();
  expect([after.running, [...second.orchestrator.reader.rows(effectTable)]]).toEqual([[], []]);
  expect(await second.history()).toEqual(["job.run done", "job.lost done"]);
});

test("a process that was thought dead records nothing any more", async () => {
  const { log, first, before, after, again } = await crashed({ replayable: true });
  const second = await again();
  const row = second.orchestrator.reader.get(effectTable, after.running[0]?.effect.id as string);
  expect(row).toMatchObject({ epoch: 2, attempt: 1 });
  before.running[0]?.end("stale");
  await settled();
  expect(await second.history()).toEqual(["job.run done"]);
  expect(first.orchestrator.committer.durable).toBeLessThanOrEqual(log.head);
});

test("one that waits for its time waits on in the next process", async () => {
  const { after, again, first } = await crashed({ replayable: true, notBefore: T0 + 1000 });
  await again();
  expect(after.running).toHaveLength(0);
  first.time.advance(1000);
  expect(after.running).toHaveLength(1);
});

test("a second crash hands over again, and many at once", async () => {
  const log = memoryLog();
  const never = byHand();
  const first = await start([admits(), jobs(never.work, { replayable: true })], { log });
  for (let i = 0; i < 250; i++) await first.send("job.run", {}, { wait: 0 });
  await start([admits(), jobs(never.work, { replayable: true })], { log: reopened(log), seed: 2 });
  const after = byHand();
  const third = await start([admits(), jobs(after.work, { replayable: true })], {
    log: reopened(reopened(log)),
    seed: 3,
  });
  expect(after.running).toHaveLength(250);
  expect(new Set(after.running.map(({ effect }) => effect.owner.epoch))).toEqual(new Set([3]));
  for (const { end } of after.running) end("ok");
  await settled();
  expect([...third.orchestrator.reader.rows(effectTable)]).toEqual([]);
});

test("many are lost at once, each recorded", async () => {
  const log = memoryLog();
  const first = await start([admits(), jobs(byHand().work)], { log });
  for (let i = 0; i < 250; i++) await first.send("job.run", {}, { wait: 0 });
  const second = await start([admits(), jobs(byHand().work)], { log: reopened(log), seed: 2 });
  expect((await second.history()).filter((one) => one === "job.lost done")).toHaveLength(250);
  expect([...second.orchestrator.reader.rows(jobTable)]).toEqual([]);
});

test("without the plugin that owed them they stay owed, however many, until it is there again", async () => {
  const log = memoryLog();
  const first = await start([admits(), jobs(byHand().work)], { log });
  for (let i = 0; i < 250; i++) await first.send("job.run", {}, { wait: 0 });
  const second = await start([admits()], { log: reopened(log), seed: 2 });
  expect([...second.orchestrator.reader.rows(effectTable)]).toHaveLength(250);
  const third = await start([admits(), jobs(byHand().work)], { log: reopened(reopened(log)), seed: 3 });
  expect([...third.orchestrator.reader.rows(effectTable)]).toEqual([]);
});

test("stop takes nothing new, and waits for what runs and for its outcome", async () => {
  const hand = byHand();
  const node = await start([admits(), jobs(hand.work)]);
  const sent = node.send("job.run");
  await settled();
  let over = false;
  const stopped = node.orchestrator.stop().then(() => {
    over = true;
  });
  await settled();
  expect([over, await codeOf(node.send("job.run"))]).toEqual([false, "STOPPING"]);
  hand.running[0]?.end("ok");
  await stopped;
  expect(await sent).toBe("ok");
  expect(await node.history()).toEqual(["job.run done", "job.done done"]);
  expect(node.time.waiting).toBe(0);
});

test("stop does not wait for what waits for its time, and that stays owed", async () => {
  const hand = byHand();
  const later = await start([admits(), jobs(hand.work, { notBefore: T0 + 1_000_000 })]);
  await later.send("job.run", {}, { wait: 0 });
  await later.orchestrator.stop();
  expect([...later.orchestrator.reader.rows(effectTable)]).toHaveLength(1);
  expect(later.time.waiting).toBe(0);
});

test("past its grace stop aborts what runs; that it was aborted is no outcome", async () => {
  const { log, again, first, before, after } = await crashed({ replayable: true });
  const stopped = first.orchestrator.stop({ graceMs: 100 });
  before.running[0]?.signal.addEventListener("abort", () => before.running[0]?.fail(new Error("aborted")));
  await settled();
  first.time.advance(100);
  await stopped;
  await settled();
  expect(before.running[0]?.signal.aborted).toBe(true);
  expect(log.head).toBe(2);
  await again();
  expect(after.running).toHaveLength(1);
});
