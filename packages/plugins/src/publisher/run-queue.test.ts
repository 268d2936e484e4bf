// Turns, one after another: nobody is passed over, and nobody has theirs twice.

import { expect, test } from "bun:test";
import { RunQueue } from "./run-queue.ts";

function queue(slice = Number.POSITIVE_INFINITY) {
  const deferred: (() => void)[] = [];
  let now = 0;
  const made = new RunQueue(
    (callback) => void deferred.push(callback),
    () => now,
  );
  const had: number[] = [];
  const task = (n: number, more: () => void = () => {}) => {
    made.add(() => {
      now += slice === Number.POSITIVE_INFINITY ? 0 : slice;
      had.push(n);
      more();
    });
  };
  return { made, had, task, turn: () => deferred.shift()?.(), deferred };
}

test("those that have no time left have their turn in the next slice", () => {
  const { had, task, turn } = queue(2);
  for (const n of [1, 2, 3]) task(n);
  turn();
  expect(had).toEqual([1, 2]);
  turn();
  expect(had).toEqual([1, 2, 3]);
});

test("one that adds itself waits for the next slice", () => {
  const { had, task, turn } = queue();
  const again = (): void => task(1, again);
  task(1, again);
  task(2);
  turn();
  expect(had).toEqual([1, 2]);
});

test("where one throws, the others have their turn once", () => {
  const { had, task, turn, deferred } = queue();
  task(1);
  task(2, () => {
    throw new Error("a bug");
  });
  task(3);
  expect(turn).toThrow("a bug");
  turn();
  expect([had, deferred]).toEqual([[1, 2, 3], []]);
});
