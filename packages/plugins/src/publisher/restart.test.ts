// A node that stops, or dies: what was delivered and written down is not delivered again, what was not is, and what was owed goes on.

import { describe, expect, test } from "bun:test";
import { memoryLog } from "@capstan/orchestrator";
import { dyingAfter, failingOnce } from "../dead-letter/dead-letter.fixture.ts";
import { away, settled, startPublisher } from "./publisher.fixture.ts";

describe("a node that stops", () => {
  test("has written down how far everybody was: the next goes on exactly there", async () => {
    const first = await startPublisher();
    await first.action();
    await first.receiver("mail");
    const received = await first.app.subscription.create({ topic: "action.greet", receiver: "mail" });
    const followed = await first.app.subscription.create({ topic: "action.greet" });
    const before = await first.follow({ id: followed.id });
    await first.performAll(1, 5);
    await settled();
    expect([first.given("mail"), before.got()]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ]);
    const next = await first.again();
    next.receives.set("mail", () => undefined);
    const after = await next.follow({ id: followed.id });
    await next.performAll(6, 7);
    await settled();
    expect([next.given("mail"), after.got()]).toEqual([
      [6, 7],
      [6, 7],
    ]);
    expect(await next.show(received.id)).toMatchObject({ state: "active", lag: 0 });
  });

  test("ends what runs, which is handed over again by the next", async () => {
    const first = await startPublisher();
    await first.action();
    await first.receiver("mail", ({ signal }) => {
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("ended"))));
    });
    await first.app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await first.perform(1);
    await settled();
    const next = await first.again();
    await settled();
    expect([first.given("mail"), next.given("mail")]).toEqual([[1], [1]]);
    expect(await next.letters()).toEqual([]);
  });

  test("does not wait for what will not end", async () => {
    const first = await startPublisher({ deliveries: { grace: 1000 } });
    await first.action();
    await first.receiver("mail", () => new Promise(() => {}));
    await first.app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await first.perform(1);
    await settled();
    const stopping = first.hub.stop();
    await settled();
    first.clock.advance(1000);
    await stopping;
  });

  test("while a delivery waits to be tried again has it tried by the next", async () => {
    const first = await startPublisher();
    await first.action();
    await first.receiver(
      "mail",
      () => {
        throw away();
      },
      { attempts: 2, backoff: 60_000 },
    );
    await first.app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await first.performAll(1, 2);
    await settled();
    const next = await first.again();
    await settled();
    expect(next.given("mail")).toEqual([1, 2]);
  });
});

describe("a node that dies", () => {
  test("delivers again what it had not written down, and nothing else", async () => {
    const log = memoryLog();
    const first = await startPublisher({ log });
    await first.action();
    await first.receiver("mail");
    await first.app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await first.performAll(1, 3);
    await settled();
    first.clock.advance(50);
    await settled();
    await first.performAll(4, 5);
    await settled();
    expect(first.given("mail")).toEqual([1, 2, 3, 4, 5]);
    const next = await first.killed(log);
    await settled();
    expect(next.given("mail")).toEqual([4, 5]);
  });

  test("between a redelivery and its end makes it with the next start", async () => {
    const log = memoryLog();
    const dies = dyingAfter(log, (message) => message === "deadLetter.leave");
    const first = await startPublisher({ log: dies });
    await first.action();
    await first.receiver("mail", () => {
      throw away();
    });
    const { id } = await first.app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await first.perform(1);
    await settled();
    const [letter] = await first.letters();
    first.app.subscription.redeliver({ id, entry: Number(letter?.about.split("/")[1]) }).catch(() => {});
    await settled();
    const next = await first.killed(log);
    await settled(20);
    expect(next.given("mail")).toEqual([1]);
    expect(await next.letters()).toEqual([]);
  });
});

describe("a disk that is full", () => {
  test("as how far it is is written down: it is written down later", async () => {
    const { log, disk } = failingOnce(memoryLog(), "subscription.advance");
    const { app, action, receiver, perform, given, clock } = await startPublisher({ log });
    await action();
    await receiver("mail");
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    clock.advance(50);
    await settled();
    expect(disk.failed).toBe(true);
    clock.advance(500);
    await settled();
    const { items } = await app.log.list({ message: "subscription.advance" });
    expect(items).toHaveLength(1);
    expect(given("mail")).toEqual([1]);
  });

  test("as a failed delivery is: it is a dead letter later, once", async () => {
    const { log, disk } = failingOnce(memoryLog(), "subscription.fail");
    const { app, action, receiver, perform, given, letters, clock } = await startPublisher({ log });
    await action();
    await receiver("mail", ({ input }) => {
      if (input === 1) throw away();
    });
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    expect([disk.failed, await letters()]).toEqual([true, []]);
    clock.advance(500);
    await settled();
    await perform(2);
    await settled();
    expect(await letters()).toHaveLength(1);
    expect(given("mail")).toEqual([1, 2]);
  });

  test("as a subscription is made: there is none, and nothing goes on by it", async () => {
    const { log, disk } = failingOnce(memoryLog(), "subscription.create");
    const { app, action, receiver, perform, given } = await startPublisher({ log });
    await action();
    await receiver("mail");
    const made = app.subscription.create({ topic: "action.greet", receiver: "mail" });
    expect(await made.catch(({ code }) => code)).toBe("LOG_UNAVAILABLE");
    expect(disk.failed).toBe(true);
    await perform(1);
    await settled();
    expect(given("mail")).toEqual([]);
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(2);
    await settled();
    expect(given("mail")).toEqual([2]);
  });
});

test("a quiet subscription's cursor gets further all the same: it holds up no compaction", async () => {
  const { app, hub, action, receiver, clock } = await startPublisher();
  await action("greet");
  await action("other");
  await receiver("mail");
  await app.subscription.create({ topic: "action.greet", receiver: "mail" });
  for (let i = 0; i < 3; i++) {
    await Promise.all(Array.from({ length: 1000 }, () => app.action.perform({ name: "other" })));
    await settled();
    clock.advance(1000);
  }
  await settled();
  clock.advance(48 * 3_600_000);
  await app.applyAction({ resource: "log", action: "compact", data: { before: 2500 } });
  expect(hub.reader.first).toBeGreaterThan(1000);
});
