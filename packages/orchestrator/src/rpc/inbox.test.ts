// What of a burst is evaluated in one turn of the loop.

import { expect, test } from "bun:test";
import { SessionBudget } from "./budget.ts";
import { Inbox } from "./inbox.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Microtasks, as many as any of this takes, and no turn of the loop. */
async function settled(): Promise<void> {
  for (let i = 0; i < 500; i++) await undefined;
}

async function burst(
  frames: number,
  characters: number,
): Promise<{ readonly taken: unknown[]; readonly inbox: Inbox }> {
  const budget = new SessionBudget();
  const connected = Promise.resolve();
  budget.authenticating(connected);
  await settled();
  const inbox = new Inbox(budget);
  const frame = JSON.stringify(["push", ["pipeline", 0, ["say"], ["a".repeat(characters)]]]);
  for (let i = 0; i < frames; i++) inbox.offer(frame);
  const taken: unknown[] = [];
  inbox.listen({ message: (message) => taken.push(message), failed: (reason) => taken.push(reason) });
  await settled();
  return { taken, inbox };
}

test("large frames that arrived together are taken one a turn, so that answers leave in between", async () => {
  const { taken } = await burst(4, 200_000);
  expect(taken).toHaveLength(1);
  await turn();
  await settled();
  expect(taken).toHaveLength(2);
  for (let i = 0; i < 4; i++) await turn();
  expect(taken).toHaveLength(4);
});

test("small ones are taken in one turn", async () => {
  const { taken } = await burst(100, 100);
  expect(taken).toHaveLength(100);
});

test("of more than may wait, so much is taken at once that no session ends for what the loop put off", async () => {
  const { taken } = await burst(100, 200_000);
  expect(taken.length).toBeGreaterThan(15);
  expect(taken.length).toBeLessThan(25);
});

test("the session's end comes behind what had arrived before it", async () => {
  const { taken, inbox } = await burst(3, 200_000);
  inbox.fail("closed");
  for (let i = 0; i < 4; i++) await turn();
  expect(taken.map((one) => (Array.isArray(one) ? "frame" : one))).toEqual(["frame", "frame", "frame", "closed"]);
});
