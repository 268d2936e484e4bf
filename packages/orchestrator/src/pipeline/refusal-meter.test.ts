// How many of a principal's refusals become entries.

import { expect, test } from "bun:test";
import { admits, plugin, start, takes } from "../testing/start.fixture.ts";
import { RefusalMeter } from "./refusal-meter.ts";

test("a burst is recorded, then ten a second; the rest is counted with the next", () => {
  const meter = new RefusalMeter();
  const recorded = (at: number, times: number) =>
    Array.from({ length: times }, () => meter.admit("ada", at)).filter((one) => one !== undefined);
  expect(recorded(0, 150)).toEqual(Array(100).fill(0));
  expect(recorded(99, 10)).toEqual([]);
  expect(recorded(1000, 20)).toEqual([60, ...Array(9).fill(0)]);
  expect(recorded(3_600_000, 150)).toHaveLength(100);
});

test("each principal has its own", () => {
  const meter = new RefusalMeter();
  for (let i = 0; i < 150; i++) meter.admit("ada", 0);
  expect([meter.admit("ada", 0), meter.admit("bob", 0)]).toEqual([undefined, 0]);
});

test("so many principals are remembered", () => {
  const meter = new RefusalMeter();
  for (let i = 0; i < 150; i++) meter.admit("first", 0);
  for (let i = 0; i < 10_000; i++) meter.admit(`p${i}`, 0);
  expect(meter.admit("first", 0)).toBe(0);
});

test("nobody fills the log by being refused, and everybody is told", async () => {
  const node = await start([
    admits(new Set(["mal"])),
    plugin("notes", { messages: { note: { write: takes("text") } } }),
  ]);
  const sent = Array.from({ length: 300 }, () =>
    node.send("note.write", { text: "x" }, { as: "mal" }).catch(({ code }) => code),
  );
  expect(new Set(await Promise.all(sent))).toEqual(new Set(["DENIED"]));
  expect(await node.history()).toHaveLength(100);
});
