// The log read by place: bounded in one go, forgetful, and the same whoever reads and however it is kept.

import { expect, test } from "bun:test";
import { type Log, memoryLog } from "@capstan/orchestrator";
import { failingOnce } from "../dead-letter/dead-letter.fixture.ts";
import { Clock } from "../hub.fixture.ts";
import { Slots } from "./delivery/slots.ts";
import { History } from "./history.ts";
import type { Published } from "./publication.ts";
import { settled, startPublisher } from "./publisher.fixture.ts";
import { RunQueue } from "./run-queue.ts";

/** A node that published this many numbers, and its log read anew. */
async function published(count: number, data: (n: number) => unknown = (n) => n) {
  const started = await startPublisher();
  await started.action();
  for (let n = 1; n <= count; n += 500) {
    const some = Array.from({ length: Math.min(500, count - n + 1) }, (_, i) => n + i);
    await Promise.all(some.map((one) => started.app.action.perform({ name: "greet", input: data(one) })));
  }
  const { reader } = started.hub;
  const reads = { count: 0, parts: 0 };
  const counted = new Proxy(reader, {
    get(target, name) {
      if (name === "entries") reads.count++;
      if (name === "part") reads.parts++;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const history = new History({ reader: counted, durable: () => reader.revision, isTurn: () => false });
  return { ...started, history, reads };
}

const every = () => true;
const dataOf = (items: readonly Published[]) => items.map(({ publication }) => publication.data);

async function all(history: History, limit: number, wanted: (one: Published) => boolean = every) {
  const seen: unknown[] = [];
  let scans = 0;
  for (let at = 0, to = -1; to !== at; scans++) {
    at = Math.max(to, 0);
    const page = await history.scan(at, "action.*", wanted, limit);
    seen.push(...dataOf(page.items));
    to = page.to;
  }
  return { seen, scans };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test("pages of any size make up the same, once each", async () => {
  const { history } = await published(700);
  for (const limit of [1, 7, 256, 10_000]) expect((await all(history, limit)).seen).toEqual(numbers(700));
  const even = (one: Published) => (one.publication.data as number) % 2 === 0;
  expect((await all(history, 10, even)).seen).toEqual(numbers(700).filter((n) => n % 2 === 0));
});

test("one scan reads one block at most, and says how far it came", async () => {
  const { history, reads } = await published(1000);
  const page = await history.scan(0, "action.*", every, 10_000);
  expect([page.to, reads.count]).toEqual([256, 1]);
});

test("what one has read, the next does not read again", async () => {
  const { history, reads } = await published(1000);
  await all(history, 100);
  const before = reads.count;
  expect((await all(history, 100)).seen).toEqual(numbers(1000));
  expect(reads.count).toBe(before);
});

test("what nobody wants is read past, and is there for who wants it then", async () => {
  const { history, reads } = await published(200);
  const none = await history.scan(0, "action.others", every, 100);
  expect([none, reads.parts]).toEqual([{ items: [], to: 201 + 1 }, 0]);
  expect((await all(history, 100)).seen).toEqual(numbers(200));
});

test("it keeps so much and no more, and reads the rest again", async () => {
  const { history, reads } = await published(300, (n) => `${n} ${"x".repeat(60_000)}`);
  await all(history, 100);
  const before = reads.count;
  const { seen } = await all(history, 100);
  expect(seen).toHaveLength(300);
  expect(reads.count).toBeGreaterThan(before);
});

test("a batch ends where it would be too large, but has one at least", async () => {
  const { history } = await published(5, (n) => `${n} ${"x".repeat(50_000)}`);
  const page = await history.scan(0, "action.*", every, 100, 250_000);
  expect(page.items).toHaveLength(2);
  expect((await history.scan(0, "action.*", every, 100, 1)).items).toHaveLength(1);
});

test("a log that answers later is read as well, by many at once", async () => {
  const log = memoryLog();
  const later: Log = new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (name === "read") return async (...asked: Parameters<Log["read"]>) => target.read(...asked);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const { app, action, receiver, follow, given } = await startPublisher({ log: later });
  await action();
  await receiver("mail");
  await app.subscription.create({ topic: "action.greet", receiver: "mail" });
  const followers = await Promise.all([1, 2, 3].map(() => follow({ topic: "action.greet", from: "start" })));
  await Promise.all(numbers(600).map((input) => app.action.perform({ name: "greet", input })));
  await settled(100);
  for (const { got } of followers) expect(got()).toEqual(numbers(600));
  expect(given("mail")).toEqual(numbers(600));
});

test("what a full disk undid, nobody was handed", async () => {
  const { log, disk } = failingOnce(memoryLog(), "action.publish");
  const { app, action, follow, perform } = await startPublisher({ log });
  await action();
  const { got } = await follow({ topic: "action.greet" });
  expect(await app.action.publish({ name: "greet", output: 1 }).catch(({ code }) => code)).toBe("LOG_UNAVAILABLE");
  await settled();
  expect([disk.failed, got()]).toEqual([true, []]);
  await perform(2);
  await settled();
  expect(got()).toEqual([2]);
});

test("who follows by a cursor of their own and is behind what was compacted away is told so, and handed no gap", async () => {
  const DAYS_MS = 48 * 3_600_000;
  const { app, action, follow, performAll, clock } = await startPublisher({ deliveries: { patience: 2 * DAYS_MS } });
  await action();
  const answer = Promise.withResolvers<void>();
  const slow = await follow({ topic: "action.greet" }, app, () => answer.promise);
  await performAll(1, 1);
  await settled();
  await performAll(2, 40);
  clock.advance(DAYS_MS);
  await app.applyAction({ resource: "log", action: "compact", data: { before: 30 } });
  answer.resolve();
  await settled();
  expect([slow.got(), slow.ended()]).toEqual([[1], expect.objectContaining({ code: "CURSOR_GONE" })]);
});

test("tasks take turns: what is added meanwhile waits for the next slice, and a slice is over after its time", () => {
  const slices: (() => void)[] = [];
  let now = 0;
  const queue = new RunQueue(
    (callback) => void slices.push(callback),
    () => now,
  );
  const done: string[] = [];
  queue.add(() => {
    done.push("a");
    queue.add(() => done.push("d"));
  });
  queue.add(() => {
    done.push("b");
    now += 100;
  });
  queue.add(() => done.push("c"));
  expect(slices).toHaveLength(1);
  slices.shift()?.();
  expect(done).toEqual(["a", "b"]);
  slices.shift()?.();
  expect(done).toEqual(["a", "b", "c", "d"]);
  queue.add(() => done.push("e"));
  queue.stop();
  slices.shift()?.();
  expect([done.length, slices.length]).toEqual([4, 0]);
});

test("a place is given back once: when it is over, or when it took long", async () => {
  const clock = new Clock();
  const places = new Slots(clock, 1);
  expect(places.take()).toBeUndefined();
  const give = places.held();
  const next = places.take();
  clock.advance(250);
  await next;
  give();
  expect(places.take()).toBeInstanceOf(Promise);
});
