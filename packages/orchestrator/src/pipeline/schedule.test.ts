// When what was decided is appended: after the first turn of the loop that brings no more, and at once where that is enough.

import { expect, test } from "bun:test";
import { appendLater } from "./schedule.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** How many entries were pending when they were appended, and after how many turns; `arrivals` come one a turn. */
async function appended(
  first: number,
  arrivals: readonly number[],
): Promise<readonly [entries: number, turns: number]> {
  let pending = first;
  let group: number | undefined;
  appendLater(
    () => {
      group = pending;
    },
    false,
    () => pending,
  );
  let turns = 0;
  for (; group === undefined; turns++) {
    pending += arrivals[turns] ?? 0;
    await turn();
  }
  return [group, turns];
}

test.each([
  ["a lone entry goes in the next turn", 1, [], [1, 1]],
  ["what comes in the same turn goes with it, after one more", 1, [25], [26, 2]],
  ["as long as turns bring more it waits", 1, [20, 1, 30], [52, 4]],
  ["what is enough does not wait", 1, [127, 5], [128, 1]],
] as const)("%s", async (_, first, arrivals, expected) => {
  expect(await appended(first, arrivals)).toEqual([...expected]);
});
