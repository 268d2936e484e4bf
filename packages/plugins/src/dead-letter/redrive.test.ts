// Redriving: in the caller's own name, once at a time, and whatever dies in between, nothing is lost and nothing done twice.

import { describe, expect, test } from "bun:test";
import { memoryLog } from "@capstan/orchestrator";
import { attach, faultFrom, granted } from "../hub.fixture.ts";
import { dyingAfter, failingOnce, passing, reopened, startWork, turn, until } from "./dead-letter.fixture.ts";

/** A letter, and work that goes well from here on unless the test says otherwise. */
async function spent(said: object = {}) {
  const node = await startWork();
  await node.register("mail", said);
  const performed = await node.spend("mail", { to: "ada" });
  const { id } = await node.letter();
  node.work.fails = () => undefined;
  return { ...node, ...performed, letterId: id, message: performed.id };
}

describe("a redriven letter", () => {
  test("leaves when what it asks for is accepted; the outcome is the first's too", async () => {
    const { app, letterId, letters, message, execution, history, work } = await spent();
    const runs = work.runs;
    const redriven = await app.deadLetter.redrive({ id: letterId });
    expect(redriven).toEqual({ id: letterId, message: expect.stringMatching(/^m-/) });
    expect(await letters()).toEqual([]);
    expect(await attach(app, { id: redriven.message as string })).toEqual({ execution, output: "done" });
    expect(await attach(app, { id: message })).toEqual({ execution, output: "done" });
    expect(work.runs).toBe(runs + 1);
    expect(await history(8)).toEqual([
      "deadLetter.redrive done",
      "execution.retry done",
      "deadLetter.leave done",
      "execution.complete done",
    ]);
    expect(await app.deadLetter.show({ id: letterId })).toMatchObject({
      ...{ state: "redriven", end: { message: redriven.message }, entries: [6, 10] },
    });
  });

  test("leaves before its work is done", async () => {
    const { app, letterId, letters, work } = await spent();
    const ends = Promise.withResolvers<unknown>();
    work.gives = () => ends.promise;
    const { message } = await app.deadLetter.redrive({ id: letterId });
    expect(await letters()).toEqual([]);
    const waiting = attach(app, { id: message as string });
    ends.resolve("late");
    expect(await waiting).toMatchObject({ output: "late" });
  });

  test("comes back as a new one that names it, with an alert of its own, where it is spent again", async () => {
    const { app, clock, letterId, letter, work, history, execution } = await spent();
    work.fails = () => new Error("still no");
    await app.deadLetter.redrive({ id: letterId });
    await passing(
      clock,
      until(() => work.runs === 4),
    );
    await turn();
    const { id, ...again } = await letter();
    expect(id).not.toBe(letterId);
    expect(again).toMatchObject({ about: execution, attempts: 2, state: "open" });
    expect(await app.deadLetter.show({ id })).toMatchObject({
      ...{ earlier: letterId, error: { message: "mail: still no" }, principal: "app" },
    });
    expect((await history()).filter((one) => one === "alert.raised done")).toHaveLength(2);
    work.fails = () => undefined;
    await app.deadLetter.redrive({ id });
    expect(await app.execution.show({ id: execution })).toMatchObject({ state: "done" });
  });

  test("comes back also where its action is given one attempt by now", async () => {
    const { app, letterId, letter, work } = await spent();
    await app.action.update({ name: "mail", attempts: 1 });
    work.fails = () => new Error("still no");
    await app.deadLetter.redrive({ id: letterId });
    await until(() => work.runs === 3);
    await turn();
    expect(await app.deadLetter.show({ id: (await letter()).id })).toMatchObject({ earlier: letterId, attempts: 1 });
  });
});

describe("whoever redrives", () => {
  test("needs the right on what is asked for too; without it the letter stays", async () => {
    const { hub, letterId, letter, work, message } = await spent();
    const runs = work.runs;
    const { scope, id } = await granted(hub, { principal: "bob", allow: ["deadLetter.redrive"] });
    const refused = await faultFrom(scope.deadLetter.redrive({ id: letterId }));
    expect(refused).toMatchObject({ code: "REFUSED", message: expect.stringContaining(`${id} allows`) });
    expect(refused.id).not.toBe(message);
    expect(await letter()).toMatchObject({ id: letterId, state: "open" });
    expect(work.runs).toBe(runs);

    const both = await granted(hub, { principal: "bob", allow: ["deadLetter.redrive", "execution.retry"] });
    expect(await both.scope.deadLetter.redrive({ id: letterId })).toMatchObject({ id: letterId });
    const { items } = await (await hub.scope({ principal: "app", allow: ["*"] })).log.list({
      message: "execution.retry",
    });
    expect(items.map(({ principal, grant, verdict }) => [principal, grant, verdict])).toEqual([
      ["bob", both.id, "done"],
      ["bob", id, "refused"],
    ]);
  });

  test("does not go around what its scope is narrowed to", async () => {
    const { hub, letterId, letter } = await spent();
    const narrowed = await hub.scope({ principal: "app", allow: ["deadLetter.redrive"] });
    expect(await faultFrom(narrowed.deadLetter.redrive({ id: letterId }))).toMatchObject({
      ...{ code: "REFUSED", message: expect.stringContaining("execution.retry") },
    });
    expect(await letter()).toMatchObject({ state: "open" });
  });

  test("is told where what was asked no longer fits", async () => {
    const { app, letterId, letter } = await spent();
    await app.action.update({ name: "mail", input: { type: "string" } });
    expect(await faultFrom(app.deadLetter.redrive({ id: letterId }))).toMatchObject({ code: "INPUT_INVALID" });
    expect(await letter()).toMatchObject({ id: letterId, state: "open" });
  });
});

describe("two at a time", () => {
  test("redrive once: the second is refused", async () => {
    const { app, letterId, work } = await spent();
    const runs = work.runs;
    const [first, second] = [app.deadLetter.redrive({ id: letterId }), app.deadLetter.redrive({ id: letterId })];
    expect(await faultFrom(second)).toMatchObject({ code: "DEAD_LETTER_REDRIVING" });
    expect(await first).toMatchObject({ id: letterId });
    expect(work.runs).toBe(runs + 1);
  });

  test("redriving and retrying by hand run it once, and both are answered", async () => {
    const { app, letterId, work, letters, execution } = await spent();
    const runs = work.runs;
    const ends = Promise.withResolvers<unknown>();
    work.gives = () => ends.promise;
    const calls = [app.deadLetter.redrive({ id: letterId }), app.execution.retry({ id: execution })];
    const settled = Promise.allSettled(calls);
    await until(() => work.runs === runs + 1);
    ends.resolve("once");
    expect((await settled).some(({ status }) => status === "fulfilled")).toBe(true);
    expect(work.runs).toBe(runs + 1);
    expect(await letters()).toEqual([]);
  });
});

describe("a node that dies", () => {
  /** Its process is killed right after the entry of `last`, which a redriving led to; the next one goes on with that. */
  async function killedAfter(last: string, kept: number) {
    const log = memoryLog();
    const first = await startWork({ log });
    await first.register("mail");
    const { execution, id: message } = await first.spend("mail");
    const { id: letterId } = await first.letter();
    const dies = dyingAfter(reopened(log), (name) => name === last);
    const dying = await startWork({ log: dies, clock: first.clock });
    dying.app.deadLetter.redrive({ id: letterId }).catch(() => {});
    await until(() => log.head === kept);
    const next = await startWork({ log: reopened(reopened(log)), clock: first.clock, well: true });
    return { ...next, letterId, execution, message };
  }

  test("between a redriving and its acceptance has it accepted by the next, once", async () => {
    const { app, letters, history, letterId, execution, message } = await killedAfter("deadLetter.redrive", 8);
    const { id } = (await app.log.show({ entry: 8 })) as { id: string };
    expect(await attach(app, { id })).toEqual({ id: letterId, message: expect.any(String) });
    expect(await attach(app, { id: message })).toEqual({ execution, output: "done" });
    expect(await letters()).toEqual([]);
    expect((await history()).filter((one) => one === "execution.retry done")).toHaveLength(1);
  });

  test("after the acceptance does not redrive again: what was accepted goes on", async () => {
    const { app, letters, history, letterId, execution, message } = await killedAfter("deadLetter.leave", 10);
    expect(await letters()).toEqual([]);
    const { state, end } = (await app.deadLetter.show({ id: letterId })) as { state: string; end: { message: string } };
    expect(state).toBe("redriven");
    for (const id of [end.message, message]) expect(await attach(app, { id })).toEqual({ execution, output: "done" });
    expect((await history()).filter((one) => one === "execution.retry done")).toHaveLength(1);
  });

  test("while it ran what may not run twice leaves it ambiguous; tried again and spent, it names the letter", async () => {
    const log = memoryLog();
    const first = await startWork({ log });
    await first.register("mail", { idempotent: false });
    const { execution } = await first.spend("mail");
    const { id: letterId } = await first.letter();
    first.work.fails = () => undefined;
    first.work.gives = () => new Promise(() => {});
    await first.app.deadLetter.redrive({ id: letterId });
    await until(() => first.work.runs === 2);
    const next = await startWork({ log: reopened(log), clock: first.clock });
    expect(await next.app.execution.show({ id: execution })).toMatchObject({ state: "ambiguous" });
    expect(await next.letters()).toEqual([]);
    expect(await faultFrom(next.app.execution.retry({ id: execution }))).toMatchObject({ code: "ACTION_FAILED" });
    expect(await next.app.deadLetter.show({ id: (await next.letter()).id })).toMatchObject({ earlier: letterId });
  });
});

describe("a disk that is full", () => {
  test("as a letter is to be added: it is added later, once, with one alert", async () => {
    const { log, disk } = failingOnce(memoryLog(), "alert.raised");
    const { app, clock, work, register, letter, letters, history } = await startWork({ log });
    await register("mail", { backoff: 1000 });
    const told = faultFrom(app.action.perform({ name: "mail" }));
    await until(() => work.runs === 1 && log.head === 4);
    clock.advance(1000);
    await until(() => disk.failed);
    expect(await letters()).toEqual([]);
    clock.advance(1000); // an outcome that could not be recorded is offered again
    await until(() => log.head === 7);
    expect(await told).toMatchObject({ code: "ACTION_FAILED" });
    expect(await letter()).toMatchObject({ state: "open", attempts: 2 });
    const added = (await history()).filter((one) => /deadLetter|alert/.test(one));
    expect(added).toEqual(["deadLetter.add done", "alert.raised done"]);
  });

  test("as it is redriven: whoever asked is told, the letter is as it was, and asking again does it once", async () => {
    const { log, disk } = failingOnce(memoryLog(), "execution.retry");
    const { register, spend, letter, letters, app, work } = await startWork({ log });
    await register("mail");
    const spent = await spend("mail");
    const { id } = await letter();
    work.fails = () => undefined;
    expect(await faultFrom(app.deadLetter.redrive({ id }))).toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(disk.failed).toBe(true);
    expect(await letter()).toMatchObject({ id, state: "open" });
    const { message } = await app.deadLetter.redrive({ id });
    expect(await attach(app, { id: message as string })).toMatchObject({ execution: spent.execution });
    expect(await letters()).toEqual([]);
  });
});
