// What becomes a dead letter and what does not, who sees it, and how it ends: redriven, discarded, or tried again by hand.

import { describe, expect, test } from "bun:test";
import { FaultError, fault, memoryLog } from "@capstan/orchestrator";
import { attach, faultFrom, granted, NOON } from "../hub.fixture.ts";
import { passing, reopened, startWork, turn, until, withoutBody } from "./dead-letter.fixture.ts";

describe("work that has no attempt left", () => {
  test("is a dead letter, with an alert, in the commit that ended it; its caller is told as always", async () => {
    const { app, register, spend, letter, letters, history, hub } = await startWork();
    await register("mail");
    const { fault: told, id, execution } = await spend("mail", { to: "ada" });
    expect(told).toMatchObject({ code: "ACTION_FAILED", message: "mail: no" });
    expect(await history(3)).toEqual([
      "action.perform done",
      "execution.fail done",
      "execution.fail done",
      "deadLetter.add done",
      "alert.raised done",
    ]);
    const open = await letter();
    expect(open).toMatchObject({
      ...{ kind: "execution", about: execution, name: "mail", attempts: 2 },
      ...{ code: "ACTION_FAILED", state: "open", at: expect.any(Number) },
    });
    expect(await app.deadLetter.show({ id: open.id })).toEqual({
      ...{ id: open.id, at: NOON + 1, state: "open", kind: "execution", about: execution, name: "mail", attempts: 2 },
      error: { code: "ACTION_FAILED", message: "mail: no", id },
      ...{ owing: id, principal: "app", grant: "node", entries: [6], alert: 7 },
      redrive: { resource: "execution", action: "retry", data: { id: execution } },
    });
    const { body } = (await app.log.show({ entry: 7 })) as { body: unknown };
    expect(body).toMatchObject({
      data: {
        ...{ kind: "dead-letter", about: open.id },
        text: `mail: execution ${execution} has no attempt left after 2; ACTION_FAILED: mail: no`,
      },
    });
    await spend("mail");
    expect((await letters()).map(({ id: one }) => one)).toEqual([expect.any(String), open.id]);
    expect((await history()).filter((one) => one.startsWith("alert.raised"))).toHaveLength(2);
    expect(hub.reader.revision).toBe(12);
  });

  const thrown = (code: string) => (): unknown => new FaultError(fault(code, "thrown"));
  test.each([
    ["it may not be tried twice, and was to be", { idempotent: false, attempts: 3 }, undefined, 1],
    ["trying again would not help", { attempts: 3 }, thrown("MODULE_CHANGED"), 1],
    ["its output does not fit", { attempts: 3, output: false }, (): unknown => undefined, 1],
    ["its fault is its code's own", { attempts: 3 }, thrown("OF_ITS_OWN"), 1],
  ])("is one too where %s", async (_, said, fails, attempts) => {
    const { register, spend, letter, work } = await startWork();
    if (fails !== undefined) work.fails = fails;
    await register("mail", said);
    const { execution } = await spend("mail");
    expect(await letter()).toMatchObject({ about: execution, attempts });
  });

  test("is one where the deadline leaves no time for another attempt", async () => {
    const { app, clock, register, letter } = await startWork();
    await register("mail", { attempts: 9, backoff: 100 });
    await faultFrom(app.action.perform({ name: "mail" }, { deadline: NOON + 50 }));
    expect(await letter()).toMatchObject({ attempts: 1 });
    expect(clock.set).toBe(0);
  });

  test("is one though its action was removed meanwhile", async () => {
    const { app, clock, register, letter, work } = await startWork();
    await register("mail", { attempts: 9, backoff: 100 });
    const performing = faultFrom(app.action.perform({ name: "mail" }));
    await until(() => work.runs === 1 && clock.set === 1);
    await app.action.remove({ name: "mail" });
    expect(await passing(clock, performing)).toMatchObject({ code: "ACTION_CHANGED" });
    const { id } = await letter();
    expect(await faultFrom(app.deadLetter.redrive({ id }))).toMatchObject({ code: "ACTION_UNKNOWN" });
    expect(await letter()).toMatchObject({ id, state: "open" });
  });
});

describe("no dead letter is made of", () => {
  test("an action that was given one attempt", async () => {
    const { register, spend, letters } = await startWork();
    await register("mail", { attempts: 1 });
    await spend("mail");
    expect(await letters()).toEqual([]);
  });

  test("an attempt after which there is another, and an execution that ends well", async () => {
    const { app, clock, register, letters, work } = await startWork();
    await register("mail");
    const performing = app.action.perform({ name: "mail" });
    await until(() => work.runs === 1 && clock.set === 1);
    expect(await letters()).toEqual([]);
    work.fails = () => undefined;
    expect(await passing(clock, performing)).toMatchObject({ output: "done" });
    expect(await letters()).toEqual([]);
  });

  test("an input that was refused", async () => {
    const { app, register, letters } = await startWork();
    await register("mail", { input: { type: "string" } });
    await faultFrom(app.action.perform({ name: "mail", input: 1 }));
    expect(await letters()).toEqual([]);
  });

  test("what was cancelled, before an attempt or between two", async () => {
    const { app, clock, register, letters, work } = await startWork();
    await register("mail", { backoff: 1000 });
    const performing = faultFrom(app.action.perform({ name: "mail" }));
    await until(() => work.runs === 1 && clock.set === 1);
    const { items } = await app.execution.list({ state: "running" });
    await app.execution.cancel({ id: (items[0] as { id: string }).id });
    expect(await performing).toMatchObject({ code: "CANCELLED" });
    expect(await letters()).toEqual([]);
  });

  test("what nobody knows the end of, nor once that is given up", async () => {
    const log = memoryLog();
    const first = await startWork({ log });
    await first.register("mail", { idempotent: false });
    first.work.fails = () => undefined;
    first.work.gives = () => new Promise(() => {});
    const { execution } = await first.app.action.perform({ name: "mail" }, { wait: 0 });
    await until(() => first.work.runs === 1);
    const next = await startWork({ log: reopened(log), clock: first.clock });
    expect(await next.app.execution.show({ id: execution })).toMatchObject({ state: "ambiguous" });
    expect(await next.letters()).toEqual([]);
    await next.app.execution.abandon({ id: execution });
    expect(await next.letters()).toEqual([]);
  });
});

describe("a letter that is discarded", () => {
  test("is open no more, and tells who gave it up and why", async () => {
    const { app, register, spend, letter, letters } = await startWork();
    await register("mail");
    await spend("mail");
    const { id } = await letter();
    expect(await faultFrom(app.deadLetter.discard({ id, reason: "" }))).toMatchObject({ code: "MESSAGE_INVALID" });
    expect(await app.deadLetter.discard({ id, reason: "the customer left" })).toEqual({ id });
    expect(await letters()).toEqual([]);
    expect(await app.deadLetter.show({ id })).toMatchObject({
      ...{ id, state: "discarded", end: { id, discarded: "the customer left", by: "app" }, entries: [6, 8], alert: 7 },
    });
    expect(await faultFrom(app.deadLetter.discard({ id, reason: "again" }))).toMatchObject({
      code: "DEAD_LETTER_UNKNOWN",
    });
    expect(await faultFrom(app.deadLetter.redrive({ id }))).toMatchObject({ code: "DEAD_LETTER_UNKNOWN" });
  });

  test("may be tried again by hand all the same, and is then a new letter that names no earlier one", async () => {
    const { app, clock, register, spend, letter } = await startWork();
    await register("mail");
    const { execution } = await spend("mail");
    await app.deadLetter.discard({ id: (await letter()).id, reason: "-" });
    await passing(clock, faultFrom(app.execution.retry({ id: execution })));
    expect(await app.deadLetter.show({ id: (await letter()).id })).not.toHaveProperty("earlier");
  });
});

describe("a letter whose execution is retried by hand", () => {
  test("leaves as if it were redriven", async () => {
    const { app, register, spend, letter, letters, work } = await startWork();
    await register("mail");
    const { execution } = await spend("mail");
    const { id } = await letter();
    work.fails = () => undefined;
    expect(await app.execution.retry({ id: execution })).toEqual({ execution, output: "done" });
    expect(await letters()).toEqual([]);
    expect(await app.deadLetter.show({ id })).toMatchObject({
      state: "redriven",
      end: { message: expect.any(String) },
    });
  });
});

describe("letters", () => {
  test("are listed newest first, by pages and filters, as far as the caller may read", async () => {
    const { hub, app, register, spend, letters, work } = await startWork();
    await register("mail");
    await register("team/mail");
    for (const name of ["mail", "team/mail", "mail", "team/mail"]) await spend(name);
    work.fails = () => new FaultError(fault("OF_ITS_OWN", "no"));
    await spend("mail");
    const names = async (filter: object) => (await letters(filter)).map(({ name }) => name).join(" ");
    expect(await names({})).toBe("mail team/mail mail team/mail mail");
    expect(await names({ name: "team/mail" })).toBe("team/mail team/mail");
    expect(await names({ code: "OF_ITS_OWN" })).toBe("mail");
    expect(await names({ kind: "delivery" })).toBe("");
    expect(await names({ state: "redriving" })).toBe("");
    const first = await app.deadLetter.list({ limit: 2 });
    const second = await app.deadLetter.list({ limit: 2, before: first.next as string });
    const third = await app.deadLetter.list({ limit: 2, before: second.next as string });
    expect<unknown[]>([...first.items, ...second.items, ...third.items]).toEqual([...(await letters())]);
    expect(third).not.toHaveProperty("next");

    const { scope } = await granted(hub, {
      principal: "bob",
      allow: ["deadLetter.*"],
      read: ["team"],
      write: ["team"],
    });
    const seen = (await scope.deadLetter.list()).items as { id: string; name: string }[];
    expect(seen.map(({ name }) => name)).toEqual(["team/mail", "team/mail"]);
    const [newest] = await letters();
    const id = newest?.id as string;
    for (const call of [
      scope.deadLetter.show({ id }),
      scope.deadLetter.redrive({ id }),
      scope.deadLetter.discard({ id, reason: "-" }),
    ]) {
      expect(await faultFrom(call)).toMatchObject({ code: "DEAD_LETTER_UNKNOWN" });
    }
    expect(await scope.deadLetter.show({ id: seen[0]?.id as string })).toMatchObject({ name: "team/mail" });
  });

  test("are changed by whom may write there, and not by whom may read", async () => {
    const { hub, register, spend, letter } = await startWork();
    await register("mail");
    await spend("mail");
    const { id } = await letter();
    const { scope } = await granted(hub, { principal: "bob", allow: ["deadLetter.*"], write: ["team"] });
    expect(await scope.deadLetter.show({ id })).toMatchObject({ state: "open" });
    expect(await faultFrom(scope.deadLetter.redrive({ id }))).toMatchObject({ code: "DEAD_LETTER_UNKNOWN" });
    expect(await faultFrom(scope.deadLetter.discard({ id, reason: "-" }))).toMatchObject({
      code: "DEAD_LETTER_UNKNOWN",
    });
  });

  test("that are not there are unknown, whatever the id", async () => {
    const { app, register, spend } = await startWork();
    await register("mail");
    const { id } = await spend("mail");
    // The second is an id of this log, and of no letter.
    for (const one of ["d-0000000000000000", id.replace("m-", "d-")]) {
      expect(await faultFrom(app.deadLetter.show({ id: one }))).toMatchObject({ code: "DEAD_LETTER_UNKNOWN" });
    }
    expect(await faultFrom(app.deadLetter.show({ id }))).toMatchObject({ code: "MESSAGE_INVALID" });
  });

  test("outlive their node", async () => {
    const log = memoryLog();
    const first = await startWork({ log });
    await first.register("mail");
    const { execution, id: message } = await first.spend("mail", { to: "ada" });
    const before = await first.letters();
    const next = await startWork({ log: reopened(log), clock: first.clock });
    expect(await next.letters()).toEqual([...before]);
    next.work.fails = () => undefined;
    await next.app.deadLetter.redrive({ id: before[0]?.id as string });
    expect(await attach(next.app, { id: message })).toEqual({ execution, output: "done" });
  });

  test("of which the log erased what they say are listed, shown as such, and can only be discarded", async () => {
    const log = memoryLog();
    const first = await startWork({ log });
    await first.register("mail");
    await first.spend("mail");
    const { id } = await first.letter();
    const next = await startWork({ log: withoutBody(reopened(log), "deadLetter.add"), clock: first.clock });
    expect(await next.letters()).toHaveLength(1);
    expect(await next.app.deadLetter.show({ id })).toMatchObject({ erased: true, name: "mail", state: "open" });
    expect(await faultFrom(next.app.deadLetter.redrive({ id }))).toMatchObject({ code: "DEAD_LETTER_ERASED" });
    expect(next.work.runs).toBe(0);
    await next.app.deadLetter.discard({ id, reason: "erased" });
    expect(await next.letters()).toEqual([]);
  });
});

test("an open letter stops compaction at the message that it is of, and can be redriven after it", async () => {
  const { app, register, spend, letter, work, clock } = await startWork();
  await register("mail", { input: { type: "object" } });
  for (let n = 0; n < 5; n++) await app.principal.create({ name: `p-${n}` });
  const { execution } = await spend("mail", { to: "ada" });
  const { id } = await letter();
  for (let n = 5; n < 30; n++) await app.principal.create({ name: `p-${n}` });
  clock.advance(2 * 86_400_000); // keys are kept for a day
  const compact = () => app.applyAction({ resource: "log", action: "compact", data: { before: 30 } });
  expect(await compact()).toMatchObject({
    ...{ before: 8, first: 8, stoppedBy: { entry: 8, why: expect.stringContaining(`dead letter ${id}, of mail`) } },
  });
  expect(await app.deadLetter.show({ id })).toMatchObject({ error: { code: "ACTION_FAILED" }, state: "open" });
  work.fails = () => undefined;
  const { message } = await app.deadLetter.redrive({ id });
  expect(await attach(app, { id: message as string })).toEqual({ execution, output: "done" });
  expect(await compact()).toMatchObject({ before: 30 });
});

test("nobody but the node adds a letter, ends one or raises an alert", async () => {
  const { app } = await startWork();
  for (const [resource, action] of [
    ["deadLetter", "add"],
    ["deadLetter", "leave"],
    ["deadLetter", "stay"],
    ["alert", "raised"],
  ] as const) {
    const forged = app.applyAction({ resource, action, data: {} });
    expect(await faultFrom(forged)).toMatchObject({ code: "MESSAGE_INTERNAL" });
  }
  await turn();
});
