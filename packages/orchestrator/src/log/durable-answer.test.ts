// An answer that waits for the disk: told once, in place, or as a promise.

import { expect, test } from "bun:test";
import { FaultError, fault } from "../fault/fault.ts";
import { DurableAnswer } from "./durable-answer.ts";

const undone = new FaultError(fault("LOG_UNAVAILABLE", "undone"));

const answer = (value: unknown) => new DurableAnswer(1, () => value);

function heard(told: DurableAnswer): unknown[] {
  const calls: unknown[] = [];
  told.whenSettled(
    (value) => calls.push(["fulfilled", value]),
    (reason) => calls.push(["rejected", reason]),
  );
  return calls;
}

test("it calls back in place, whether asked before it is settled or after", () => {
  const [first, second, third] = [answer("a"), answer("b"), answer("c")];
  const before = heard(first);
  expect(before).toEqual([]);
  first.resolve();
  second.resolve();
  third.reject(undone);
  expect([before, heard(second), heard(third)]).toEqual([
    [["fulfilled", "a"]],
    [["fulfilled", "b"]],
    [["rejected", undone]],
  ]);
});

test("to whoever awaits it, it is a promise: as often as they like, before it is settled and after", async () => {
  const resolved = answer("a");
  const both = Promise.all([resolved, resolved.then((value) => `${value}!`)]);
  resolved.resolve();
  expect(await both).toEqual(["a", "a!"]);
  expect(await resolved).toBe("a");
  const refused = answer("a");
  const rejected = Promise.all([refused]);
  refused.reject(undone);
  expect(await rejected.catch((reason: unknown) => reason)).toBe(undone);
});

test("what it goes through may change it or refuse it, and its end is told first, once", () => {
  const order: string[] = [];
  const ended = () => order.push("ended");
  const changed = new DurableAnswer<unknown>(1, () => 1).through((value) => [value], ended);
  const calls = heard(changed);
  changed.whenSettled(
    () => order.push("told"),
    () => {},
  );
  changed.resolve();
  const refused = new DurableAnswer<unknown>(1, () => 1).through(() => {
    throw undone;
  }, ended);
  const refusals = heard(refused);
  refused.resolve();
  expect([order, calls, refusals]).toEqual([["ended", "told", "ended"], [], [["rejected", undone]]]);
});
