import { expect, test } from "bun:test";
import { metricsSchema, type NodeMetrics } from "../message/metrics-schema.ts";
import { faultyLog } from "../testing/faulty-log.fixture.ts";
import { byHand, jobs } from "../testing/jobs.fixture.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, settled, start } from "../testing/start.fixture.ts";
import { type Family, parseExposition } from "./exposition.fixture.ts";
import { prometheusText } from "./prometheus.ts";

type Started = Awaited<ReturnType<typeof start>>;

async function scrape({ orchestrator }: Started): Promise<Map<string, Family>> {
  const { metrics } = orchestrator;
  return parseExposition(await prometheusText(metrics.read(), metrics.meters));
}

function value(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
  return family?.samples.find(
    (sample) => sample.name === name && Object.entries(labels).every(([key, one]) => sample.labels[key] === one),
  )?.value;
}

const failing = (promise: Promise<unknown>) => promise.catch((error) => (error as { code: string }).code);

test("messages are counted by name, kind and verdict", async () => {
  const node = await start([admits(), notes()]);
  await node.send("note.write", { name: "a", text: "x" });
  await node.send("note.write", { name: "b", text: "x" });
  expect(await failing(node.send("note.write", { name: "a", text: "x" }))).toBe("NOTE_THERE");
  await node.send("note.read", { name: "a" });
  const families = await scrape(node);
  const decided = (message: string, verdict: string) =>
    value(families, "capstan_messages_decided_total", { message, verdict });
  expect([decided("note.write", "done"), decided("note.write", "NOTE_THERE"), decided("note.read", "done")]).toEqual([
    2, 1, 1,
  ]);
  expect(value(families, "capstan_messages_decided_total", { message: "note.read" })).toBe(1);
  expect(families.get("capstan_messages_decided_total")?.samples[0]?.labels.kind).toMatch(/command|query/);
  expect(value(families, "capstan_decision_duration_seconds_count")).toBeGreaterThanOrEqual(4);
});

test("effects are counted by what came of them, and those that run are told", async () => {
  const { running, work } = byHand();
  const node = await start([admits(), jobs(work)]);
  const asked = [0, 1, 2].map(() => failing(node.send("job.run")));
  await settled();
  expect(value(await scrape(node), "capstan_effects_running")).toBe(3);
  running[0]?.end("good");
  running[1]?.fail(new Error("no"));
  await node.send("job.cancel", { id: running[2]?.effect.owing as string });
  expect(await Promise.all(asked)).toEqual(["good", "JOB_FAILED", "CANCELLED"]);
  await settled();
  const families = await scrape(node);
  const over = (outcome: string) =>
    value(families, "capstan_effects_over_total", { plugin: "jobs", kind: "work", outcome });
  expect([over("done"), over("failed"), over("cancelled"), over("retried")]).toEqual([1, 1, 1, 0]);
  expect([value(families, "capstan_effects_running"), value(families, "capstan_effects_waiting")]).toEqual([0, 0]);
  expect(value(families, "capstan_effect_duration_seconds_count", { plugin: "jobs" })).toBe(2);
});

test("an effect that was carried out at once is counted once", async () => {
  const node = await start([admits(), jobs(() => "at once", { replayable: true })]);
  expect(await node.send<unknown>("job.run")).toBe("at once");
  const families = await scrape(node);
  expect(value(families, "capstan_effects_over_total", { outcome: "done", plugin: "jobs" })).toBe(1);
  expect(value(families, "capstan_effect_duration_seconds_count", { plugin: "jobs" })).toBe(1);
});

test("groups, their entries, and what a failed append undid", async () => {
  const disk = faultyLog();
  const node = await start([admits(), notes()], { log: disk.log, manual: true });
  const before = value(await scrape(node), "capstan_log_group_entries_sum") ?? 0;
  const writes = ["a", "b", "c"].map((name) => failing(node.send("note.write", { name, text: "x" })));
  await settled();
  node.flush();
  await Promise.all(writes);
  const good = await scrape(node);
  expect((value(good, "capstan_log_group_entries_sum") ?? 0) - before).toBe(3);
  expect(value(good, "capstan_log_head")).toBe(value(good, "capstan_log_durable") as number);
  disk.full = true;
  const lost = ["d", "e"].map((name) => failing(node.send("note.write", { name, text: "x" })));
  await settled();
  node.flush();
  expect(await Promise.all(lost)).toEqual(["LOG_UNAVAILABLE", "LOG_UNAVAILABLE"]);
  const bad = await scrape(node);
  expect(value(bad, "capstan_log_entries_undone_total")).toBe(2);
  expect(value(bad, "capstan_log_group_entries_sum")).toBe(value(good, "capstan_log_group_entries_sum") as number);
});

test("names come from the table alone: a follow-up of any name, and a code that nobody declared, count as others", async () => {
  const node = await start([admits(), notes()]);
  const { meters } = node.orchestrator.metrics;
  for (let i = 0; i < 100; i++) meters.decided({ resource: `r${i}`, action: "x", data: 1 }, `CODE_${i}`);
  for (let i = 0; i < 100; i++) meters.decided({ resource: "note", action: "write", data: 1 }, `CODE_${i}`);
  const families = await scrape(node);
  const named = families.get("capstan_messages_decided_total")?.samples.map(({ labels }) => labels) ?? [];
  expect(named.filter(({ verdict }) => verdict?.startsWith("CODE"))).toEqual([]);
  expect(value(families, "capstan_messages_decided_total", { message: "unknown", verdict: "OTHER" })).toBe(100);
  expect(value(families, "capstan_messages_decided_total", { message: "note.write", verdict: "OTHER" })).toBe(100);
});

test("node.metrics answers the same numbers, as its schema says, and names no principal", async () => {
  const node = await start([admits(), notes()]);
  await node.send("note.write", { name: "a", text: "canary-data" }, { as: "canary-principal" });
  const answered = await node.send<NodeMetrics>("node.metrics");
  expect(metricsSchema.parse(answered)).toEqual(answered);
  expect(answered.messages.find(({ name }) => name === "note.write")?.verdicts).toEqual({ done: 1 });
  expect(answered.log.durable).toBe(node.log.head);
  expect(JSON.stringify(answered)).not.toContain("canary");
  const { metrics } = node.orchestrator;
  expect(await prometheusText(metrics.read(), metrics.meters)).not.toContain("canary");
});
