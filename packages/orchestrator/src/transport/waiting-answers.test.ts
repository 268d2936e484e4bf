// Answers to a node, where more come than its link takes.

import { expect, test } from "bun:test";
import { SessionBudget } from "../rpc/budget.ts";
import { ManualTime } from "../testing/manual-time.fixture.ts";
import type { Link } from "./link.ts";
import { SessionTransport } from "./session-transport.ts";
import { PATIENCE_MS, SMALL, WaitingAnswers } from "./waiting-answers.ts";

const MEBI = 1024 * 1024;

/** A link that sends nothing until it is told to. */
function stuckLink() {
  const sent: string[] = [];
  const link = {
    sent,
    unsent: 0,
    broken: false,
    terminated: false,
    terminate() {
      link.terminated = true;
    },
    send(frames: readonly string[]) {
      sent.push(...frames);
      link.unsent += frames.join("").length;
      return !link.broken;
    },
  };
  return link;
}

function stuck() {
  const link = stuckLink();
  const { sent } = link;
  const time = new ManualTime();
  let stalled = 0;
  const answers = new WaitingAnswers(link as unknown as Link, time, () => stalled++);
  /** Sends a frame, or has it wait. */
  const offer = (frame: string): boolean => answers.takes(frame, 0) || !link.send([frame]);
  return { sent, link, time, answers, offer, stalled: () => stalled };
}

const answer = (id: number, size = 2 * MEBI): string => `["resolve",${id},"${"x".repeat(size)}"]`;
const ids = (frames: readonly string[]): unknown[] => frames.map((frame) => JSON.parse(frame)[1]);

test("large answers leave one by one, in order, as the link has room; a timer runs only while some wait", () => {
  const { sent, link, time, answers, offer } = stuck();
  expect([1, 2, 3].map((id) => offer(answer(id)))).toEqual([false, true, true]);
  expect([ids(sent), answers.characters]).toEqual([[1], 2 * answer(1).length]);
  time.advance(1_000);
  expect(ids(sent)).toEqual([1]);
  link.unsent = MEBI;
  time.advance(10);
  expect(ids(sent)).toEqual([1, 2]);
  link.unsent = 0;
  time.advance(10);
  expect([ids(sent), answers.characters, time.waiting]).toEqual([[1, 2, 3], 0, 0]);
});

test.each([
  ["is small", `["resolve",2,"${"x".repeat(SMALL / 2)}"]`],
  ["asks something", `["push",["pipeline",0,["health"],["${"x".repeat(SMALL)}"]]]`],
  ["holds a stub, which later frames may refer to", `["resolve",2,{"a":["export",-1],"b":"${"x".repeat(SMALL)}"}]`],
])("what %s does not wait", (_, frame) => {
  const { offer } = stuck();
  for (const id of [1, 3]) offer(answer(id));
  expect(offer(frame)).toBe(false);
});

test("a link that takes nothing for long is given up, and one that is slow is not", () => {
  const { link, time, offer, stalled } = stuck();
  for (const id of [1, 2]) offer(answer(id));
  for (let n = 0; n < 3; n++) {
    time.advance(PATIENCE_MS - 100);
    link.unsent -= 1_000;
  }
  expect(stalled()).toBe(0);
  time.advance(PATIENCE_MS + 100);
  expect([stalled(), time.waiting]).toEqual([1, 0]);
});

test("a link that breaks is given up at once", () => {
  const { link, time, offer, stalled } = stuck();
  for (const id of [1, 2, 3]) offer(answer(id));
  Object.assign(link, { unsent: 0, broken: true });
  time.advance(10);
  expect([stalled(), time.waiting]).toEqual([1, 0]);
});

test("nothing waits for a session that is over", () => {
  const { sent, link, time, answers, offer } = stuck();
  for (const id of [1, 2]) offer(answer(id));
  answers.close();
  link.unsent = 0;
  time.advance(1_000);
  expect([ids(sent), answers.characters, time.waiting]).toEqual([[1], 0, 0]);
});

test("a node that asks for much and reads nothing loses its session, and what waited for it is dropped", async () => {
  const [link, time] = [stuckLink(), new ManualTime()];
  const budget = new SessionBudget();
  const durability = { tip: 0, durable: 0, generation: 0, onAdvance: () => () => {} };
  const transport = new SessionTransport(link as unknown as Link, { budget, durability, timers: time });
  budget.authenticating(Promise.resolve());
  await Promise.resolve();
  budget.withNode();
  for (const id of [1, 2, 3]) {
    budget.frame('["push",["pipeline",0,["health"],[]]]');
    budget.frame(`["pull",${id}]`);
    transport.send(["resolve", id, "x".repeat(2 * MEBI)]);
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect([ids(link.sent), time.waiting, link.terminated]).toEqual([[1], 1, false]);
  time.advance(PATIENCE_MS + 100);
  expect([time.waiting, link.terminated, budget.breach?.code]).toEqual([0, true, "SESSION_BUDGET"]);
});
