// What another node publishes, published here: once, in order, and told apart from our own.

import { describe, expect, test } from "bun:test";
import { memoryLog } from "@capstan/orchestrator";
import { dyingAfter, failingOnce } from "../../dead-letter/dead-letter.fixture.ts";
import { faultFrom, granted } from "../../hub.fixture.ts";
import type { Publication } from "../publication.ts";
import { settled } from "../publisher.fixture.ts";
import { bridged, GREET, type Island, nextLife, startIsland, two } from "./islands.fixture.ts";

const published = async ({ app }: Pick<Island, "app">, topic = GREET, after = "start") =>
  (await app.subscription.read({ topic, after, limit: 256 })).items as Publication[];

describe("a publication of another node", () => {
  test("is one of this log, with its own cursor; id, time, principal and correlation are its origin's", async () => {
    const { a, b } = await two();
    await b.app.subscription.create({ topic: GREET });
    await settled();
    await b.pull();
    b.clock.advance(5000);
    await a.app.action.perform({ name: "greet", input: { text: "hi" } }, { correlation: "c-1" });
    await b.pull();
    const [there] = await published(a);
    const [here, ...others] = await published(b);
    const { log } = b.runtime.reader.proofs;
    expect(others).toEqual([]);
    expect(here).toEqual({
      ...(there as Publication),
      cursor: `${b.runtime.durable}.${log}`,
      origin: { node: "n-a", cursor: (there as Publication).cursor, id: (there as Publication).id },
    });
    expect(here).toMatchObject({ principal: "app", correlation: "c-1", action: "greet" });
    expect(there).not.toHaveProperty("origin");
  });

  test("reaches callbacks, durable cursors, pages and receivers", async () => {
    const { a, b } = await two();
    await b.receiver("mail");
    await b.app.subscription.create({ topic: GREET, receiver: "mail" });
    const { id } = await b.app.subscription.create({ topic: "action.*" });
    const followed = await b.follow({ topic: GREET });
    const durably = await b.follow({ id });
    await settled();
    await b.pull();
    const waits = b.app.subscription.read({ topic: GREET, wait: 1000 });
    await a.performAll(1, 3);
    await b.pull();
    await settled();
    expect([b.given("mail"), followed.got(), durably.got()]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect((await waits).items[0]).toMatchObject({ data: 1, origin: { node: "n-a" } });
    expect(b.handed[0]?.publication).toMatchObject({ topic: GREET, origin: { node: "n-a" } });
  });

  test("is imported by whoever has followed it from when they did, and what came before is not fetched", async () => {
    const { a, b } = await two();
    await a.performAll(1, 3);
    await b.follow({ topic: GREET, from: "start" });
    await settled();
    await b.pull();
    await a.performAll(4, 5);
    await b.pull();
    expect((await published(b)).map(({ data }) => data)).toEqual([4, 5]);
  });

  test("may be as large and as deep as an output, and is what it was after a restart too", async () => {
    const { a, b } = await two();
    const { id } = await b.app.subscription.create({ topic: GREET });
    await settled();
    await b.pull();
    let deep: unknown = "x".repeat(3 * 1024 * 1024);
    for (let i = 0; i < 85; i++) deep = [deep];
    await a.perform(deep);
    await b.pull();
    expect((await published(b)).map(({ data }) => data)).toEqual([deep]);
    await b.hub.stop();
    const next = await nextLife(b);
    const { items } = await next.app.subscription.read({ id });
    expect(items).toMatchObject([{ data: deep as never, origin: { node: "n-a" } }]);
  });

  test("whose entry was redacted is published no more", async () => {
    const { a, b } = await two();
    const followed = await b.follow({ topic: GREET });
    await settled();
    await b.pull();
    await a.performAll(1, 2);
    await b.pull();
    await settled();
    const [first] = await published(b);
    const entry = Number(first?.cursor.split(".")[0]);
    const { items } = await b.app.log.list({ message: "subscription.import" });
    const id = (items as { entry: number; id: string }[]).find((one) => one.entry === entry)?.id as string;
    await b.app.applyAction({ resource: "log", action: "redact", data: { id, parts: ["body"], reason: "asked to" } });
    expect((await published(b)).map(({ data }) => data)).toEqual([2]);
    expect(followed.got()).toEqual([1, 2]);
  });
});

describe("exactly once", () => {
  test("wherever the importer's process is killed, and however often", async () => {
    const a = await startIsland("n-a");
    await a.action();
    let b = await startIsland("n-b");
    await bridged(a, b, GREET);
    const { id } = await b.app.subscription.create({ topic: GREET, from: "start" });
    await settled();
    await b.pull();
    const log = b.log;
    let made = 0;
    for (let round = 0; round < 8; round++) {
      // It dies after so many imports of this life.
      let left = round % 4;
      const dying = dyingAfter(log, (message) => message === "subscription.import" && left-- === 0);
      b = await nextLife(b, dying);
      b.listen();
      await settled();
      await a.performAll(made + 1, made + 6);
      made += 6;
      void b.pull().catch(() => {});
      await settled(20);
    }
    b = await nextLife(b, log);
    b.listen();
    await settled();
    await b.pull();
    const { items } = await b.app.subscription.read({ id, limit: 256 });
    expect((items as Publication[]).map(({ data }) => data)).toEqual(Array.from({ length: made }, (_, i) => i + 1));
  });

  test("where the disk refuses some, the rest does not overtake them", async () => {
    const a = await startIsland("n-a");
    await a.action();
    const { log, disk } = failingOnce(memoryLog(), "subscription.import");
    disk.failed = true;
    const b = await startIsland("n-b", { log });
    await bridged(a, b, GREET);
    await b.app.subscription.create({ topic: GREET });
    await settled();
    await b.pull();
    await a.performAll(1, 5);
    disk.failed = false;
    expect(await faultFrom(b.pull())).toMatchObject({ code: "LOG_UNAVAILABLE" });
    b.clock.advance(1000);
    await settled();
    await b.pull();
    expect((await published(b)).map(({ data }) => data)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a repeat is passed over, and what does not follow on is refused", async () => {
    const { a, b } = await two();
    await b.app.subscription.create({ topic: GREET });
    await settled();
    await b.pull();
    const begun = b.rowOf(GREET)?.cursor;
    await a.performAll(1, 3);
    const { items } = await a.topics.read(
      { topic: GREET, origin: "n-a", after: begun, limit: 9, wait: 0 },
      new AbortController().signal,
    );
    const [one, second, three] = items.map((item) => [item]);
    await b.take(a, one as never, begun);
    await b.take(a, one as never, begun);
    expect(await faultFrom(b.take(a, three as never, second?.[0]?.cursor))).toMatchObject({
      code: "IMPORT_OUT_OF_STEP",
    });
    expect(await faultFrom(b.take(a, second as never, undefined))).toMatchObject({ code: "IMPORT_OUT_OF_STEP" });
    expect((await published(b)).map(({ data }) => data)).toEqual([1]);
    await b.pull();
    expect((await published(b)).map(({ data }) => data)).toEqual([1, 2, 3]);
    // Of another log, of another node, and of what nobody imports.
    const way = { origin: "n-a", from: { peer: "n-a", node: "n-a" } };
    const refused: [string, object][] = [
      ["IMPORT_OUT_OF_STEP", { topic: GREET, ...way, after: b.rowOf(GREET)?.cursor, cursor: "9999.l-other" }],
      ["IMPORT_OUT_OF_STEP", { topic: GREET, ...way, origin: "n-c", after: b.rowOf(GREET)?.cursor, cursor: "9.l-c" }],
      ["IMPORT_OUT_OF_STEP", { topic: "action.other", ...way, after: "1.l-a", cursor: "2.l-a" }],
      ["CURSOR_INVALID", { topic: GREET, ...way, cursor: "nine" }],
      ["MESSAGE_INVALID", { topic: "action.*", ...way, cursor: "9.l-a" }],
    ];
    for (const [code, data] of refused) expect(await faultFrom(b.note("import", data))).toMatchObject({ code });
    expect((await published(b)).length).toBe(3);
  });

  test("goes on across a compaction of this log", async () => {
    const { a, b } = await two();
    await b.app.subscription.create({ topic: GREET });
    const follows = await b.follow({ id: ((await b.app.subscription.list({})).items[0] as { id: string }).id });
    await settled();
    await b.pull();
    await a.performAll(1, 40);
    await b.pull();
    await settled();
    b.clock.advance(100);
    await settled();
    await b.app.applyAction({ resource: "log", action: "compact", data: { before: 30 } });
    expect(b.runtime.reader.first).toBe(30);
    await b.hub.stop();
    const next = await nextLife(b);
    next.listen();
    await settled();
    await a.performAll(41, 42);
    await next.pull();
    expect(follows.got()).toHaveLength(40);
    expect((await published(next)).slice(-3).map(({ data }) => data)).toEqual([40, 41, 42]);
  });
});

test("nobody who may not read its namespace sees it, whatever node it is of", async () => {
  const { a, b } = await two();
  await a.action("books/new");
  await b.learn(a, "action.books/new");
  await b.app.subscription.create({ topic: "action.*" });
  await settled();
  await b.pull();
  await a.perform(1);
  await a.perform(2, "books/new");
  await b.pull();
  const { scope } = await granted(b.hub, {
    principal: "eve",
    allow: ["subscription.read"],
    read: ["default"],
  } as never);
  const { items } = await scope.subscription.read({ topic: "action.*", after: "start" });
  expect((items as Publication[]).map(({ data }) => data)).toEqual([1]);
  expect(await faultFrom(scope.subscription.read({ topic: "action.books/new" }))).toMatchObject({
    code: "TOPIC_UNKNOWN",
  });
});
