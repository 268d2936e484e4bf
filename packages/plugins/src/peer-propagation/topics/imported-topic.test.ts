// A topic of another node on its way into this node's log: each once, in order; and where something was missed, it says so.

import { afterEach, expect, test } from "bun:test";
import { FaultError, fault, type Log, memoryLog, type NewEntry } from "@capstan/orchestrator";
import { Clock } from "../../hub.fixture.ts";
import { importedTable } from "../../publisher/elsewhere/topics.ts";
import { type Asked, FarNeighbour, FarOrigin, ORIGIN, settled, TOPIC } from "./far-origin.fixture.ts";
import { ImportedTopic } from "./imported-topic.ts";
import { type ImportingOptions, importing } from "./importing.fixture.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

type Answer = (origin: FarOrigin, asked: Asked, nth: number) => unknown;

async function started(answer?: Answer, options?: ImportingOptions) {
  const origin = new FarOrigin();
  const b = new FarNeighbour("berlin", (asked, nth) => answer?.(origin, asked, nth) ?? origin.read(asked));
  const here = await importing({ b }, options);
  stops.push(async () => {
    b.lose();
    await here.hub.stop();
  });
  return { origin, b, ...here };
}

async function subscribed(answer?: Answer, options?: ImportingOptions) {
  const all = await started(answer, options);
  const { id } = await all.app.subscription.create({ topic: TOPIC });
  await all.at(all.origin.at(10));
  return { ...all, id };
}

test("from where it was when somebody here came to want it, one entry each", async () => {
  const { origin, row, has, at, hub } = await subscribed();
  const entries = hub.committer.tip;
  origin.publish(1, 2, 3);
  await at(origin.at(13));
  expect(await has()).toEqual([1, 2, 3]);
  expect(hub.committer.tip).toBe(entries + 3);
  expect(row()).toMatchObject({ origin: "n-origin", via: "berlin" });
});

test("nobody is asked where nobody here wants it, and it is let go once nobody does any more", async () => {
  const { b, app, origin, row, at } = await started();
  expect(b.asked).toEqual([]);
  const { id } = await app.subscription.create({ topic: TOPIC });
  await at(origin.at(10));
  await app.subscription.delete({ id });
  while (row() !== undefined) await new Promise((resolve) => setTimeout(resolve, 1));
});

test("what nobody wants any more by the time that its place is known is not begun", async () => {
  const asked = Promise.withResolvers<void>();
  const answers = Promise.withResolvers<void>();
  const { app, row } = await started(async (from, what) => {
    asked.resolve();
    await answers.promise;
    return from.read(what);
  });
  const { id } = await app.subscription.create({ topic: TOPIC });
  await asked.promise;
  await app.subscription.delete({ id });
  while ((await app.log.list({ message: "subscription.release" })).items.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 1));
  answers.resolve();
  await settled();
  expect(row()).toBeUndefined();
  expect((await app.log.list({ message: "subscription.import" })).items).toEqual([]);
});

test("from the first that there is, where the origin's log was compacted past the cursor; and that is told", async () => {
  const { origin, id, app, has, at } = await subscribed();
  origin.head = 60;
  origin.compact(61);
  await at(origin.at(60));
  origin.publish("kept");
  await at(origin.at(61));
  expect(await has()).toEqual(["kept"]);
  expect(await app.subscription.show({ id })).toMatchObject({ elsewhere: [{ missed: { why: "gone", times: 1 } }] });
});

test.each<[string, (origin: FarOrigin) => void]>([
  ["has another log", (origin) => origin.restore("l-restored")],
  [
    "has lost the end of its log",
    (origin) => {
      origin.head = 4;
      origin.restore(origin.log);
    },
  ],
])("from now on, where the origin %s; and that is told", async (_, restored) => {
  const { origin, id, app, has, at } = await subscribed();
  restored(origin);
  await at(origin.at(origin.head));
  origin.publish("after");
  await at(origin.at(origin.head));
  expect(await has()).toEqual(["after"]);
  const { elsewhere } = (await app.subscription.show({ id })) as { elsewhere: { missed: { why: string } }[] };
  expect(["foreign", "future"]).toContain(elsewhere[0]?.missed.why as string);
});

test("of the node that publishes it now, once there was no way to the other for a minute; and that is told", async () => {
  const clock = new Clock();
  const { origin, id, app, paths, has, at, over, row } = await subscribed(undefined, { clock });
  origin.publish(1);
  await at(origin.at(11));
  paths.splice(0, 1, { peer: "b", origin: "n-other" });
  over.changed([{ name: `topic:${TOPIC}`, before: undefined, now: undefined }]);
  origin.restore("l-other");
  const shown = async () => (await app.subscription.show({ id })) as { elsewhere: [{ why?: string }] };
  while (!(await shown()).elsewhere[0].why?.includes("no way leads to n-origin")) {
    clock.advance(50);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  clock.advance(50_000);
  expect(row()?.origin).toBe("n-origin");
  while (row()?.origin !== "n-other") {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  origin.publish(2);
  await at(origin.at(12));
  expect(await has()).toEqual([1, 2]);
  expect(await app.subscription.show({ id })).toMatchObject({ elsewhere: [{ missed: { why: "origin" } }] });
});

test("one that is too large for the way is missed, and what comes after it is not", async () => {
  const { origin, id, app, has, at } = await subscribed();
  origin.publish("large", 2);
  const [large] = origin.published;
  origin.published[0] = { ...(large as NonNullable<typeof large>), data: null, omitted: 5_000_000 };
  await at(origin.at(12));
  expect(await has()).toEqual([2]);
  expect(await app.subscription.show({ id })).toMatchObject({ elsewhere: [{ missed: { why: "too-large" } }] });
});

test("it says why nothing comes", async () => {
  const { b, id, app, over, origin } = await subscribed((_, __, nth) => {
    if (nth > 3) throw new FaultError(fault("ROUTE_NOT_EXPORTED", 'clause "secret" rejects it'));
    return undefined;
  });
  const says = async (text: string) => {
    for (;;) {
      const { elsewhere } = (await app.subscription.show({ id })) as { elsewhere: { why?: string; state: string }[] };
      if (elsewhere[0]?.state === "waiting" && elsewhere[0].why?.includes(text)) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  origin.publish(1, 2);
  await says('berlin: ROUTE_NOT_EXPORTED berlin: clause "secret" rejects it');
  b.lose();
  over.lost({ name: "berlin", node: "b" });
  await says("no session with b");
});

test.each([true, false])(
  "where there are more than may wait at once (%p), one for which nothing came makes room",
  async (crowded) => {
    const clock = new Clock();
    const asked: number[] = [];
    const row = { origin: ORIGIN, cursor: "10.l-origin", via: "berlin", since: 0 };
    const imported = new ImportedTopic(TOPIC, {
      topics: { imported: importedTable },
      runtime: { reader: { get: () => row }, timers: clock, now: clock.now } as never,
      relay: {
        read: () => {
          asked.push(clock.now());
          const page = { items: [], next: row.cursor, size: 0, by: { name: "berlin", node: "b" } };
          return new Promise((resolve) => clock.after(20_000, () => resolve(page)));
        },
      } as never,
      ways: { originsOf: () => [ORIGIN], nearest: () => undefined } as never,
      pace: { heldFor: () => 0, took: () => {} } as never,
      crowded: () => crowded,
    });
    for (let i = 0; i < 100; i++) {
      clock.advance(500);
      await settled();
    }
    imported.stop();
    expect((asked[1] as number) - (asked[0] as number)).toBe(crowded ? 22_000 : 20_000);
  },
);

test("ways to other topics that come and go have nobody look for theirs", async () => {
  const clock = new Clock();
  const { app, over, paths, id } = await subscribed(undefined, { clock });
  const [path] = paths.splice(0, 1);
  over.lost({ name: "berlin", node: "b" });
  const shown = async () => (await app.subscription.show({ id })) as { elsewhere: [{ state: string; why?: string }] };
  while ((await shown()).elsewhere[0].why !== "no node that leads to it is known") {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  paths.push(path as NonNullable<typeof path>);
  const changed = async (topic: string) => {
    over.changed([{ name: `topic:${topic}`, before: undefined, now: undefined }]);
    await settled();
    return (await shown()).elsewhere[0].state;
  };
  expect(await changed("action.other")).toBe("waiting");
  expect(await changed(TOPIC)).toBe("arriving");
});

test("where its origin's log goes on without it, the place is noted now and then: it may be compacted there", async () => {
  const clock = new Clock();
  const { origin, b, at, row, hub } = await subscribed(undefined, { clock });
  while (b.asked.at(-1)?.wait === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const entries = hub.committer.tip;
  const passes = async (count: number): Promise<void> => {
    const asked = b.asked.length;
    origin.passes(count);
    while (b.asked.length === asked) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      clock.advance(1_000);
    }
    clock.advance(20_000);
  };
  await passes(100);
  await passes(1);
  expect([row()?.cursor, hub.committer.tip]).toEqual([origin.at(10), entries]);
  await passes(5_000);
  await at(origin.at(5_111));
  expect(hub.committer.tip).toBe(entries + 1);
});

test("a neighbour that says that there is nothing for a long way is not believed by who knows better: nothing is missed", async () => {
  const clock = new Clock();
  const lie = "4000.l-origin";
  const { origin, b, id, app, at, has, over } = await subscribed(
    (far, { after, wait }, nth) =>
      nth > 2 && after === "10.l-origin" && wait > 0 && far.head === 10 ? { items: [], next: lie } : undefined,
    { clock },
  );
  while (b.asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  clock.advance(20_000);
  while (b.asked.at(-1)?.after !== lie) {
    clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  origin.publish(1, 2);
  over.lost({ name: "berlin", node: "b" });
  while ((await has()).length < 2) {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await at(origin.at(12));
  expect(await has()).toEqual([1, 2]);
  const { elsewhere } = (await app.subscription.show({ id })) as { elsewhere: [{ missed?: unknown }] };
  expect(elsewhere[0].missed).toBeUndefined();
});

test("what the log would not take is read again from where that ends, and nothing of it twice", async () => {
  const disk = { full: false };
  const { origin, at, has } = await subscribed(undefined, { log: fullWhile(disk) });
  disk.full = true;
  origin.publish(1, 2, 3);
  await at(origin.at(13));
  expect([disk.full, await has()]).toEqual([false, [1, 2, 3]]);
});

test("an origin that publishes faster than its peer's limit is read more slowly, and all of it comes; there is one alert", async () => {
  const clock = new Clock();
  const { origin, b, id, app, at, row } = await subscribed(undefined, { clock, rate: 10 });
  const begun = clock.now();
  origin.publish(...Array.from({ length: 600 }, (_, i) => i));
  await at(origin.at(266));
  // 256 are the hundred that come at once, and what comes in 15.7 s.
  const asked = b.asked.length;
  const shown = async () => (await app.subscription.show({ id })) as { elsewhere: [{ state: string; why?: string }] };
  while ((await shown()).elsewhere[0].state !== "waiting") await new Promise((resolve) => setTimeout(resolve, 1));
  expect((await shown()).elsewhere[0].why).toBe("more than 10 publications a second come by berlin");
  clock.advance(15_000);
  expect([row()?.cursor, b.asked.length]).toEqual([origin.at(266), asked]);
  while (row()?.cursor !== origin.at(610)) {
    clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(clock.now() - begun).toBeGreaterThan(40_000);
  const raised = (await app.log.list({ message: "alert.raised" })).items;
  expect(raised).toHaveLength(1);
});

test("many topics that all have much at once are not all held on to: some are read again later, and nothing is missed", async () => {
  const clock = new Clock();
  const named = ["action.t1", "action.t2", "action.t3", "action.t4"];
  const { origin, b, app, hub, reach } = await started(
    async (far, asked) => {
      const { items, next } = await far.read(asked);
      const { topic } = asked as Asked & { readonly topic: string };
      return { items: items.map((one) => ({ ...one, topic, action: topic.slice("action.".length) })), next };
    },
    { clock, rate: 3 },
  );
  await reach(...named);
  for (const topic of named) await app.subscription.create({ topic });
  while (b.asked.filter(({ wait }) => wait > 0).length < named.length)
    await new Promise((resolve) => setTimeout(resolve, 1));
  const before = hub.committer.tip;
  origin.publish(...Array.from({ length: 256 }, (_, i) => i));
  // One page is more than a minute's worth; the alert is an entry too.
  while (hub.committer.tip - before < 257) await new Promise((resolve) => setTimeout(resolve, 1));
  await settled();
  expect(hub.committer.tip - before).toBe(257);
  const arrived = async () => {
    const counts: number[] = [];
    for (const topic of named) {
      const { items } = (await app.subscription.read({ topic, after: "start", limit: 256 })) as { items: unknown[] };
      counts.push(items.length);
    }
    return counts;
  };
  while ((await arrived()).some((count) => count < 256)) {
    clock.advance(5_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
});

test("a large publication counts as many", async () => {
  const clock = new Clock();
  const { origin, id, app, at } = await subscribed(undefined, { clock, rate: 10 });
  origin.publish("a".repeat(1_000_000));
  await at(origin.at(11));
  for (;;) {
    const { elsewhere } = (await app.subscription.show({ id })) as { elsewhere: [{ why?: string }] };
    if (elsewhere[0].why?.startsWith("more than 10 publications")) break;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
});

test.each(["CURSOR_GONE", "CURSOR_FOREIGN", "CURSOR_FUTURE"])(
  "a neighbour that says %s of every place has an entry written once a minute, and not with each answer",
  async (code) => {
    const clock = new Clock();
    const { b, hub } = await subscribed(
      (_, { after }, nth) => {
        if (nth <= 3) return undefined;
        if (after !== undefined) throw new FaultError(fault(code, "no"));
        return { items: [], next: `${nth * 100}.l-origin` };
      },
      { clock },
    );
    const before = hub.committer.tip;
    const asked = b.asked.length;
    for (let ms = 0; ms < 59_000; ms += 500) {
      clock.advance(500);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect(b.asked.length).toBeGreaterThan(asked + 5);
    expect(hub.committer.tip - before).toBeLessThanOrEqual(3);
  },
);

/** Its disk is full once, where a publication comes. */
function fullWhile(disk: { full: boolean }): Log {
  const log = memoryLog();
  return new Proxy(log, {
    get(target, name) {
      if (name === "append")
        return (head: number, entries: readonly NewEntry[]) => {
          if (disk.full && entries.some(({ text }) => text.includes(`"publishes":"${TOPIC}"`))) {
            disk.full = false;
            throw new Error("ENOSPC");
          }
          return log.append(head, entries);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
