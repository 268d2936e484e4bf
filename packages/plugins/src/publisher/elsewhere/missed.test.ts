// What of another node's publications cannot be had here: it is passed over by name, with an alert, and holds up nothing.

import { describe, expect, test } from "bun:test";
import { faultFrom } from "../../hub.fixture.ts";
import type { Publication } from "../publication.ts";
import { settled } from "../publisher.fixture.ts";
import { importOf } from "./arrival.ts";
import { GREET, type Island, startIsland, two } from "./islands.fixture.ts";
import type { FarPublication } from "./topics.ts";

async function subscribed() {
  const { a, b } = await two();
  await b.app.subscription.create({ topic: GREET });
  await settled();
  await b.pull();
  return { a, b };
}

const data = async ({ app }: Island) =>
  ((await app.subscription.read({ topic: GREET, after: "start" })).items as Publication[]).map((one) => one.data);
const alerts = async ({ app }: Island) =>
  (await app.log.list({ message: "alert.raised" })).items as { entry: number }[];

let deep: unknown = 1;
for (let i = 0; i < 95; i++) deep = [deep];
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

/** What a peer may say in the place of a publication. */
const LIES: Record<string, [why: string, lie: object]> = {
  "more than an output may be": ["too-large", { data: "x".repeat(4 * 1024 * 1024) }],
  "too much for the way": ["too-large", { data: null, omitted: 9_000_000 }],
  "deeper than the log takes": ["unfit", { data: deep }],
  "cyclic data": ["unfit", { data: cyclic }],
  "a key that would be a prototype": ["unfit", { data: JSON.parse('{"a":{"__proto__":1}}') }],
  "a number that JSON does not have": ["unfit", { data: { a: Number.NaN } }],
  "a function": ["unfit", { data: { a: () => 1 } }],
  "a date that is none": ["unfit", { at: 1e300 }],
  "a time before time": ["unfit", { at: -1 }],
  "no id": ["unfit", { id: "" }],
  "an id that ends a line": ["unfit", { id: "m-1\nm-2" }],
  "a principal of a megabyte": ["unfit", { principal: "p".repeat(1_000_000) }],
  "a root of a megabyte": ["unfit", { root: "p".repeat(1_000_000) }],
  "sixteen causes": ["loop", { hops: 16 }],
  "causes that are no number": ["loop", { hops: "many" }],
  "fewer causes than none": ["loop", { hops: -1 }],
};

describe("a publication that is", () => {
  for (const [what, [why, lie]] of Object.entries(LIES)) {
    test(`${what} is missed, and what comes after it is not`, async () => {
      const { a, b } = await subscribed();
      await a.performAll(1, 3);
      await b.pull((items) => items.map((one, i) => (i === 1 ? ({ ...one, ...lie } as FarPublication) : one)));
      expect(await data(b)).toEqual([1, 3]);
      expect(b.rowOf(GREET)).toMatchObject({ missed: { why, times: 1 } });
      const [alert, ...others] = await alerts(b);
      expect(others).toEqual([]);
      const { body } = (await b.app.log.show({ entry: alert?.entry as number })) as { body?: unknown };
      const { about, text, kind } = (body as { data: { about: string; text: string; kind: string } }).data;
      expect([kind, about, text.length < 700]).toEqual(["topic-missed", GREET, true]);
      expect(text).toStartWith("action.greet of n-a, by n-a: ");
      await a.perform(4);
      await b.pull();
      expect(await data(b)).toEqual([1, 3, 4]);
    });
  }

  test("said to be of a correlation or trace that is none has neither", async () => {
    const { a, b } = await subscribed();
    await a.perform(1);
    const lie = { correlation: "a\nb", traceparent: "00-zz" };
    await b.pull((items) => items.map((one) => ({ ...one, ...lie })));
    const [here] = (await b.app.subscription.read({ topic: GREET, after: "start" })).items as Publication[];
    expect(here).toMatchObject({ data: 1 });
    expect(here).not.toHaveProperty("correlation");
  });

  test("always so raises one alert an hour, and says how often it was", async () => {
    const { a, b } = await subscribed();
    const spoilt = (items: readonly FarPublication[]) => items.map((one) => ({ ...one, hops: 99 }));
    await a.performAll(1, 5);
    await b.pull(spoilt);
    b.clock.advance(3_599_999);
    await a.perform(6);
    await b.pull(spoilt);
    expect([(await alerts(b)).length, b.rowOf(GREET)?.missed?.times]).toEqual([1, 6]);
    b.clock.advance(1);
    await a.perform(7);
    await b.pull(spoilt);
    expect((await alerts(b)).length).toBe(2);
  });
});

test("in many topics by one neighbour raises so many alerts an hour, and the last says so; those by others are told", async () => {
  const b = await startIsland("n-b");
  const lost = (topic: string, node: string) =>
    b.note("import", {
      ...{ topic, origin: "n-a", from: { peer: node, node }, cursor: "1.l-a" },
      missed: { why: "gone", text: "compacted past the cursor" },
    });
  for (let i = 0; i < 20; i++) await lost(`action.t${i}`, "n-liar");
  expect(await alerts(b)).toHaveLength(16);
  const [last] = await alerts(b);
  expect(JSON.stringify(await b.app.log.show({ entry: last?.entry as number }))).toContain("by n-liar no more is told");
  await lost("action.other", "n-p");
  expect(await alerts(b)).toHaveLength(17);
  b.clock.advance(3_600_000);
  await lost("action.t20", "n-liar");
  expect(await alerts(b)).toHaveLength(18);
});

test("what is told of a publication names only its topic's own action", () => {
  const publication: FarPublication = {
    ...{ topic: GREET, cursor: "1.l-a", id: "m-1", at: 1, data: 1, hops: 0, action: "wipe" },
  };
  const { message } = importOf({ publication, origin: "n-a", from: { peer: "p", node: "n-p" } });
  expect(JSON.stringify(message)).not.toContain("wipe");
});

describe("a place that nobody can read on from", () => {
  const lost = (b: Island, why: string, cursor: string, origin = "n-a") =>
    b.note("import", {
      ...{ topic: GREET, origin, from: { peer: "p", node: "n-p" }, cursor },
      missed: { why, text: "compacted past the cursor" },
    });

  test("is left, with an alert, and what is missed is shown where the subscription is", async () => {
    const { a, b } = await subscribed();
    await a.performAll(1, 2);
    await b.pull();
    await a.performAll(3, 50);
    await a.app.applyAction({ resource: "log", action: "compact", data: { before: 30 } });
    const { id } = (await b.app.subscription.list({})).items[0] as { id: string };
    const refused = await faultFrom(b.pull());
    expect(refused).toMatchObject({ code: "CURSOR_GONE" });
    const { first } = refused.details as { first: string };
    await lost(b, "gone", first);
    await b.pull();
    const got = (await data(b)) as number[];
    expect(got.slice(0, 2)).toEqual([1, 2]);
    expect(got.slice(2)).toEqual(Array.from({ length: got.length - 2 }, (_, i) => 51 - (got.length - 2) + i));
    expect(got.length).toBeGreaterThan(10);
    expect(await alerts(b)).toHaveLength(1);
    expect(await b.app.subscription.show({ id })).toMatchObject({
      elsewhere: [
        { topic: GREET, origin: "n-a", missed: { why: "gone", text: "compacted past the cursor", times: 1 } },
      ],
    });
    // Said again, it rewinds nothing.
    await lost(b, "gone", first);
    await b.pull();
    expect(await data(b)).toEqual(got);
  });

  test.each(["origin", "foreign"])("of another log (%s) is replaced only where that is said", async (why) => {
    const { b } = await subscribed();
    const cursor = "3.l-other";
    const way = { topic: GREET, origin: "n-c", from: { peer: "p", node: "n-p" } };
    expect(await faultFrom(b.note("import", { ...way, cursor }))).toMatchObject({ code: "IMPORT_OUT_OF_STEP" });
    await lost(b, why, cursor, "n-c");
    expect(b.rowOf(GREET)).toMatchObject({ origin: "n-c", cursor, missed: { why } });
  });

  test("past the end of a log that was restored is taken back only where that is said", async () => {
    const { b } = await subscribed();
    const log = b.rowOf(GREET)?.cursor.split(".")[1];
    await lost(b, "gone", `1.${log}`);
    expect(b.rowOf(GREET)).not.toHaveProperty("missed");
    await lost(b, "future", `1.${log}`);
    expect(b.rowOf(GREET)).toMatchObject({ cursor: `1.${log}`, missed: { why: "future" } });
  });
});
