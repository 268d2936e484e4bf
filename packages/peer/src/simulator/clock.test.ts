import { expect, test } from "bun:test";
import { VirtualClock } from "./clock.ts";
import { Random } from "./random.ts";

test("what is planned happens in the order of its time, and at one time in the order of planning", () => {
  const clock = new VirtualClock();
  const random = new Random(1);
  const planned = Array.from({ length: 500 }, (_, order) => ({ at: random.between(0, 50), order }));
  const happened: { at: number; order: number }[] = [];
  for (const { at, order } of planned) clock.plan(at, () => happened.push({ at: clock.now, order }));
  clock.runUntil(100);
  expect(happened).toEqual(planned.toSorted((a, b) => a.at - b.at || a.order - b.order));
  expect(clock.now).toBe(100);
});

test("what is planned for the past happens now, after all that was planned for now", () => {
  const clock = new VirtualClock();
  const happened: string[] = [];
  clock.plan(10, () => {
    clock.plan(3, () => happened.push(`late at ${clock.now}`));
    happened.push("first");
  });
  clock.plan(10, () => happened.push("second"));
  clock.runUntil(10);
  expect(happened).toEqual(["first", "second", "late at 10"]);
});

test("nothing after that time happens", () => {
  const clock = new VirtualClock();
  const happened: number[] = [];
  for (const at of [1, 2, 3]) clock.plan(at, () => happened.push(at));
  clock.runUntil(2);
  expect(happened).toEqual([1, 2]);
});
