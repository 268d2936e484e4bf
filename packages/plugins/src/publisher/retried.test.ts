// Between the tries of a delivery time passes: what was erased meanwhile is handed over no more, nor what its holder may not read
// any more; and what could not be read is read again.

import { describe, expect, test } from "bun:test";
import { memoryLog } from "@capstan/orchestrator";
import { granted, NOON } from "../hub.fixture.ts";
import { away, settled, startPublisher } from "./publisher.fixture.ts";

const fails = () => {
  throw away();
};

async function entryOf(app: Awaited<ReturnType<typeof startPublisher>>["app"]): Promise<number> {
  const { items } = await app.subscription.read({ topic: "action.greet", after: "start" });
  return Number.parseInt((items[0] as { readonly cursor: string }).cursor, 10);
}

describe("what waits to be tried again", () => {
  test("is not handed over once it is redacted, and the next is", async () => {
    const { app, action, receiver, perform, given, clock, letters, show } = await startPublisher();
    await action();
    await receiver("mail", fails, { attempts: 3, backoff: 1000 });
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform("secret");
    await settled();
    await app.log.redact({ entry: await entryOf(app), parts: ["body", "trace"], reason: "asked for" });
    await settled();
    await perform("next");
    clock.advance(1000);
    await settled();
    expect([given("mail"), await letters()]).toEqual([["secret", "next"], []]);
    expect(await show(id)).toMatchObject({ state: "active", failing: { attempt: 1 } });
  });

  test("for a place is not handed over once it is redacted", async () => {
    const { app, action, receiver, perform, given, clock } = await startPublisher({ deliveries: { concurrency: 1 } });
    await action();
    await receiver("hangs", () => new Promise(() => {}));
    await receiver("mail");
    await app.subscription.create({ topic: "action.greet", receiver: "hangs" });
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform("secret");
    await settled();
    await app.log.redact({ entry: await entryOf(app), parts: ["body", "trace"], reason: "asked for" });
    await settled();
    clock.advance(250);
    await settled();
    expect([given("hangs"), given("mail")]).toEqual([["secret"], []]);
    await perform("next");
    await settled();
    expect(given("mail")).toEqual(["next"]);
  });

  test("is not handed over once its holder's grant has expired; resumed, it is", async () => {
    const { hub, app, action, receiver, perform, given, clock, show } = await startPublisher();
    await action();
    await receiver("mail", fails, { attempts: 5, backoff: 1000 });
    const { scope } = await granted(hub, { principal: "ann", allow: ["subscription"], expires: NOON + 500 });
    const { id } = await scope.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    clock.advance(1000);
    await settled();
    expect(given("mail")).toEqual([1]);
    expect(await show(id)).toMatchObject({ state: "stopped", why: { code: "GRANT_EXPIRED" } });
    await app.subscription.resume({ id });
    await settled();
    expect(given("mail")).toEqual([1, 1]);
  });
});

/** A log whose entries up to `before` cannot be read for so many times as `failing` says. */
function failingLog() {
  const inner = memoryLog();
  const disk = { failing: 0, before: 0 };
  const read: typeof inner.read = (...asked) => {
    if (asked[0] >= disk.before || disk.failing === 0) return inner.read(...asked);
    disk.failing--;
    throw new Error("EIO");
  };
  const log = new Proxy(inner, {
    get: (target, key) => {
      const value: unknown = key === "read" ? read : Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { log, disk };
}

describe("a read that fails", () => {
  test("stops a subscription for a while, twice as long each time, and it says so", async () => {
    const { log, disk } = failingLog();
    const first = await startPublisher({ log });
    await first.action();
    await first.receiver("mail");
    await first.performAll(1, 400);
    const { app, receives, given, show, clock } = await first.again();
    receives.set("mail", () => undefined);
    Object.assign(disk, { failing: 2, before: 200 });
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail", from: "start" });
    await settled();
    expect(await show(id)).toMatchObject({ state: "stopped", why: { code: "INTERNAL" } });
    clock.advance(500);
    await settled();
    expect([given("mail"), disk.failing]).toEqual([[], 0]);
    clock.advance(999);
    await settled();
    expect(await show(id)).toMatchObject({ state: "stopped" });
    clock.advance(1);
    await settled(60);
    expect(given("mail")).toHaveLength(400);
    expect(await show(id)).toMatchObject({ state: "active" });
  });

  test("at the head of the log holds nothing up until the next entry, but for a while", async () => {
    const { log, disk } = failingLog();
    const { app, action, receiver, perform, given, clock } = await startPublisher({ log });
    await action();
    await receiver("mail");
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await settled();
    Object.assign(disk, { failing: 1, before: Number.POSITIVE_INFINITY });
    await perform(1);
    await settled();
    expect([given("mail"), disk.failing]).toEqual([[], 0]);
    clock.advance(500);
    await settled();
    expect(given("mail")).toEqual([1]);
  });

  test("at the head of the log has nobody who waits there read again what they have read", async () => {
    const { log, disk } = failingLog();
    const { app, action, receiver, perform, clock } = await startPublisher({ log });
    await action();
    await receiver("mail");
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await settled();
    Object.assign(disk, { failing: 1, before: Number.POSITIVE_INFINITY });
    await perform(1);
    const { next } = await app.subscription.read({ topic: "action.greet", after: "start" });
    const waits = app.subscription.read({ topic: "action.greet", after: next, wait: 10_000 });
    await settled();
    clock.advance(500);
    await settled();
    await perform(2);
    expect((await waits).items).toMatchObject([{ data: 2 }]);
  });

  test("between two tries stops the subscription for a while, and nobody hears of it who does not listen", async () => {
    const strays: unknown[] = [];
    const stray = (thrown: unknown): void => void strays.push(thrown);
    process.on("unhandledRejection", stray);
    try {
      const { log, disk } = failingLog();
      const { app, action, receiver, receives, perform, given, clock, show } = await startPublisher({ log });
      await action();
      await receiver("mail", fails, { attempts: 3, backoff: 1000 });
      const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
      await perform(1);
      await settled();
      Object.assign(disk, { failing: 1, before: Number.POSITIVE_INFINITY });
      clock.advance(1000);
      await settled();
      expect([await show(id), disk.failing]).toMatchObject([{ state: "stopped", why: { code: "INTERNAL" } }, 0]);
      receives.set("mail", () => undefined);
      clock.advance(500);
      await settled();
      expect([given("mail"), await show(id)]).toMatchObject([[1, 1], { state: "active" }]);
      expect(strays).toEqual([]);
    } finally {
      process.off("unhandledRejection", stray);
    }
  });
});
