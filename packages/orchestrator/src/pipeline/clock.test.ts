// A clock that jumps a day, either way, while a node runs or between two starts: times never run backwards, everything is found,
// and somebody is told.

import { describe, expect, test } from "bun:test";
import { decodeEntry } from "../log/entry.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { createOrchestrator } from "../orchestrator.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { verifyCheckpoint } from "../proof/checkpoint.ts";
import { parseVerifierKey } from "../proof/note.ts";
import { cells } from "../testing/cells.fixture.ts";
import { provenEntries } from "../testing/evidence.fixture.ts";
import { reopened } from "../testing/faulty-log.fixture.ts";
import { ManualTime, T0 } from "../testing/manual-time.fixture.ts";
import { admits, fillFrom } from "../testing/start.fixture.ts";
import { monotonic } from "../time/monotonic.ts";
import { firstSince } from "./upkeep/first-since.ts";

const DAY = 86_400_000;

/** A node whose clock the test sets. */
async function nodeAt(clock: { now: number }, log = memoryLog(), seed = 1) {
  const warnings: object[] = [];
  const plugins: readonly AnyPlugin[] = [admits(), cells()];
  const orchestrator = await createOrchestrator({
    ...{ plugins, log, timers: new ManualTime(), now: () => clock.now, random: fillFrom(seed) },
    logger: { debug() {}, info() {}, warn: (fields) => void warnings.push(fields), error() {} },
  });
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  let count = 0;
  const write = () =>
    scope.applyAction(
      { resource: "cell", action: "set", data: { name: `${count++}`, text: "" } },
      { key: `k${seed} ${count}` },
    );
  const entries = async () => (await log.read(1)).map(decodeEntry).map(({ seq, header }) => ({ seq, ...header }));
  return { orchestrator, log, warnings, write, entries };
}
type Node = Awaited<ReturnType<typeof nodeAt>>;

async function sound({ orchestrator, log, entries }: Node): Promise<number[]> {
  const all = await entries();
  for (const { id, seq } of all) expect(await log.find(id)).toBe(seq);
  const times = all.map(({ at }) => at);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  for (const at of new Set(times)) expect(await firstSince(orchestrator.reader, at)).toBe(times.indexOf(at) + 1);
  expect(await provenEntries(orchestrator)).toEqual([]);
  return times.slice(1).map((at) => at - T0);
}

describe("while the node runs", () => {
  test("set back by a day, time stands still until the clock has caught up; that is told once", async () => {
    const clock = { now: T0 };
    const node = await nodeAt(clock);
    for (const now of [0, -DAY, -DAY + 1000, -1, 5, -DAY, 6]) {
      clock.now = T0 + now;
      await node.write();
    }
    expect(await sound(node)).toEqual([0, 0, 0, 0, 5, 5, 6]);
    expect(node.warnings).toEqual([
      { behindMs: DAY, last: new Date(T0).toISOString() },
      { behindMs: DAY + 5, last: new Date(T0 + 5).toISOString() },
    ]);
  });

  test("set ahead by a day and right again, it stands still for that day, and checkpoints do too", async () => {
    const clock = { now: T0 };
    const node = await nodeAt(clock);
    const key = parseVerifierKey(await node.orchestrator.notary.verifierKey());
    const signedAt = async () => (await verifyCheckpoint(await node.orchestrator.notary.checkpoint(), [key])).at - T0;
    const signed: number[] = [];
    for (const now of [0, DAY, 1, 2, DAY + 1]) {
      clock.now = T0 + now;
      await node.write();
      signed.push(await signedAt());
    }
    expect(await sound(node)).toEqual([0, DAY, DAY, DAY, DAY + 1]);
    expect(signed).toEqual([0, DAY, DAY, DAY, DAY + 1]);
    expect(node.warnings).toHaveLength(1);
  });

  test("a thousand entries of one moment are all found", async () => {
    const clock = { now: T0 + DAY };
    const node = await nodeAt(clock);
    await node.write();
    clock.now = T0;
    await Promise.all(Array.from({ length: 999 }, () => node.write()));
    expect(new Set(await sound(node)).size).toBe(1);
  });
});

describe("between two starts", () => {
  for (const [name, jump, told] of [
    ["back", -DAY, 1],
    ["ahead", DAY, 0],
    ["back by less than a minute", -59_000, 0],
  ] as const) {
    test(`${name}: what is written comes after what was there, and is found`, async () => {
      const clock = { now: T0 };
      const log = memoryLog();
      const first = await nodeAt(clock, log);
      for (let i = 0; i < 3; i++) await first.write();
      clock.now = T0 + jump;
      const again = await nodeAt(clock, reopened(log), 2);
      expect(again.warnings).toHaveLength(told);
      for (let i = 0; i < 3; i++) await again.write();
      expect((await sound(again)).slice(3)).toEqual(Array(3).fill(Math.max(jump, 0)));
    });
  }
});

test("a clock that stands still is not behind", () => {
  const told: number[] = [];
  let time = 1000;
  const now = monotonic(
    () => time,
    0,
    (ms) => told.push(ms),
  );
  for (const next of [1000, 1000, 1001, -58_999, 0]) {
    time = next;
    now();
  }
  expect(told).toEqual([]);
  time = -59_000;
  expect([now(), now(), told]).toEqual([1001, 1001, [60_001]]);
});
