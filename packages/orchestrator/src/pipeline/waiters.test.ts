// Who waits for what, and that nothing is kept for whom nobody waits.

import { expect, test } from "bun:test";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { jobs } from "../testing/jobs.fixture.ts";
import { admits, plugin, settled, start, takes } from "../testing/start.fixture.ts";
import { type Outcome, Waiters } from "./waiters.ts";

const ok: Outcome = { kind: "done", data: "ok" };

test("an outcome that comes before anybody asked is kept until it was taken", () => {
  const waiters = new Waiters();
  waiters.open("m-1", 1);
  waiters.settle("m-1", ok);
  expect([waiters.take("m-1"), waiters.take("m-1"), waiters.size]).toEqual([ok, undefined, 0]);
});

test("once it was asked for, it goes to those who wait and is not kept", () => {
  const waiters = new Waiters();
  waiters.open("m-1", 1);
  expect(waiters.take("m-1")).toBeUndefined();
  const told: Outcome[] = [];
  const stop = waiters.wait("m-1", () => told.push(ok));
  waiters.wait("m-1", (outcome) => told.push(outcome));
  stop();
  waiters.settle("m-1", ok);
  waiters.settle("m-1", ok);
  expect([told, waiters.size]).toEqual([[ok], 0]);
});

test("who stops waiting for what this process does not know leaves nothing behind", () => {
  const waiters = new Waiters();
  const stops = [waiters.wait("m-1", () => {}), waiters.wait("m-1", () => {})];
  for (const stop of stops) stop();
  expect(waiters.size).toBe(0);
});

test("a message that is forwarded settles with the other, also where that was settled already", () => {
  const waiters = new Waiters();
  const told: string[] = [];
  for (const [first, second, early] of [
    ["a", "b", true],
    ["c", "d", false],
  ] as const) {
    waiters.open(first, 1);
    waiters.wait(first, () => told.push(first));
    waiters.open(second, 2);
    if (early) waiters.settle(second, ok);
    waiters.forward(first, second);
    if (!early) waiters.settle(second, ok);
  }
  expect([told, waiters.size]).toEqual([["a", "c"], 0]);
});

test("what was undone fails for those who wait, and is forgotten", () => {
  const waiters = new Waiters();
  const told: Outcome[] = [];
  for (const seq of [4, 5]) {
    waiters.open(`m-${seq}`, seq);
    waiters.wait(`m-${seq}`, (outcome) => told.push(outcome));
  }
  waiters.undo(4, { code: "LOG_UNAVAILABLE", message: "" });
  expect(told).toEqual([{ kind: "failed", error: { code: "LOG_UNAVAILABLE", message: "" } }]);
  expect([waiters.seqOf("m-4"), waiters.seqOf("m-5")]).toEqual([4, undefined]);
});

test("what follow-ups came to is not kept: nobody asked for it", async () => {
  const settledBefore = spyOnSizes();
  const rule = plugin("rule", {
    needs: [authority],
    messages: { rule: { fire: takes() } },
    decide({ message }) {
      if (message.resource !== "rule") return next();
      const run = { message: { resource: "job", action: "run", data: {} }, as: { principal: "bob", grant: "g" } };
      return next({ then: [run, run, run] });
    },
  });
  const node = await start([admits(), rule, jobs(() => "ok", { replayable: true })]);
  for (let i = 0; i < 10; i++) await node.send("rule.fire");
  await settled();
  expect((await node.history()).filter((one) => one === "job.run done")).toHaveLength(30);
  expect(settledBefore.open()).toBe(0);
});

/** Counts the messages that are open in every Waiters made from here on. */
function spyOnSizes() {
  const all = new Set<Waiters>();
  const { open } = Waiters.prototype;
  Waiters.prototype.open = function (this: Waiters, ...args) {
    all.add(this);
    open.apply(this, args);
  };
  return {
    open() {
      Waiters.prototype.open = open;
      return [...all].reduce((sum, { size }) => sum + size, 0);
    },
  };
}
