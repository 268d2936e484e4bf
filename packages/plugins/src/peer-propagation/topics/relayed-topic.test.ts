// Who waits for a topic of another node: all of them by one reader, each from their own cursor, and nobody by whom they are themselves.

import { describe, expect, test } from "bun:test";
import { faultFrom } from "../../hub.fixture.ts";
import type { TopicPage } from "../../publisher/elsewhere/topics.ts";
import { entryIn } from "./far-cursor.ts";
import { type Asked, FarNeighbour, FarOrigin, ORIGIN, settled, TOPIC, waysBy } from "./far-origin.fixture.ts";
import { TopicRelay } from "./topic-relay.ts";

const dataOf = ({ items }: TopicPage) => items.map(({ data }) => data);
const numbers = (to: number) => Array.from({ length: to }, (_, i) => i + 1);

function relaying() {
  const origin = new FarOrigin();
  const b = new FarNeighbour("berlin", (asked) => origin.read(asked));
  const c = new FarNeighbour("cairo", (asked) => origin.read(asked));
  const { clock, ways, paths, runtime } = waysBy({ b, c });
  const relay = new TopicRelay({ ways, runtime });
  const read = (after: string | undefined, more: { via?: readonly string[]; wait?: number; limit?: number } = {}) => {
    const asked = { topic: TOPIC, origin: ORIGIN, limit: 256, wait: 20_000, via: [], ...more };
    return relay.read(after === undefined ? asked : { ...asked, after }, new AbortController().signal);
  };
  /** Reads on and on, as whoever follows does. */
  const follow = (after: string, via: readonly string[] = []) => {
    const found: unknown[] = [];
    const go = async (from: string): Promise<void> => {
      const page = await read(from, { via });
      found.push(...dataOf(page));
      await go(page.next);
    };
    go(after).catch(() => {});
    return found;
  };
  return { origin, b, c, clock, relay, ways, paths, read, follow };
}

describe("those who wait", () => {
  test("are served by one reader: each publication crosses the link once", async () => {
    const { origin, b, c, relay, follow } = relaying();
    const all = [[], ["n-x"], ["n-y"], ["n-z"]].map((via) => follow(origin.at(10), via));
    await settled();
    for (const n of numbers(30)) {
      origin.publish(n);
      await settled();
    }
    for (const found of all) expect(found).toEqual(numbers(30));
    expect([b.crossed, c.asked.length, relay.alone]).toEqual([30, 0, 0]);
  });

  test("further behind than what is kept read by themselves until they have caught up", async () => {
    const { origin, b, relay, follow } = relaying();
    origin.publish(...numbers(600));
    const late = follow(origin.at(10));
    const now = follow(origin.at(610));
    await settled();
    expect([late.length, now.length, relay.alone]).toEqual([600, 0, 3]);
    origin.publish(601);
    await settled();
    expect([late.at(-1), now]).toEqual([601, [601]]);
    expect(b.crossed).toBe(601);
  });

  test("behind at the same place, as after a restart of this node, read on from there together", async () => {
    const { origin, b, relay, follow } = relaying();
    origin.publish(...numbers(40));
    const all = [[], ["n-x"], ["n-y"]].map((via) => follow(origin.at(10), via));
    await settled();
    const later = follow(origin.at(12), ["n-z"]);
    await settled();
    origin.publish(41);
    await settled();
    for (const found of all) expect(found).toEqual(numbers(41));
    expect(later).toEqual(numbers(41).slice(2));
    expect([b.crossed, relay.alone]).toEqual([41, 1]);
  });

  test("are told after their wait that there is nothing, and where they are", async () => {
    const { origin, clock, read } = relaying();
    const waiting = read(origin.at(10), { wait: 5_000 });
    await settled();
    clock.advance(5_000);
    expect(await waiting).toMatchObject({ items: [], next: origin.at(10) });
  });

  test("have pages of so many, and the rest at once", async () => {
    const { origin, read } = relaying();
    await read(origin.at(10), { wait: 0 });
    const waiting = read(origin.at(10), { limit: 2 });
    await settled();
    origin.publish(1, 2, 3, 4, 5);
    const first = await waiting;
    expect(dataOf(first)).toEqual([1, 2]);
    const second = await read(first.next, { limit: 2 });
    expect(dataOf(second)).toEqual([3, 4]);
    expect(dataOf(await read(second.next))).toEqual([5]);
  });

  test("from a place that there is not are told so, and nobody else notices", async () => {
    const { origin, follow, read } = relaying();
    const good = follow(origin.at(10));
    await settled();
    expect(await faultFrom(read(origin.at(5_000)))).toMatchObject({ code: "CURSOR_FUTURE" });
    expect(await faultFrom(read("10.l-other"))).toMatchObject({ code: "CURSOR_FOREIGN" });
    origin.publish(1);
    await settled();
    expect(good).toEqual([1]);
  });

  test("are not told of their own place what is wrong with one that this node had got to for them", async () => {
    const { origin, read } = relaying();
    origin.passes(30);
    read(origin.at(40)).catch(() => {});
    await settled();
    // The reader asks b, by whom this one came: it reads on by itself, from 40.
    const waiting = faultFrom(read(origin.at(10), { via: ["b"] }));
    await settled();
    origin.head = 25;
    origin.wake();
    expect(await waiting).toMatchObject({ code: "TOPIC_UNREACHABLE" });
    expect(await read(origin.at(10), { wait: 0 })).toMatchObject({ items: [] });
  });

  test("are told from where it is now on that there is more", async () => {
    const { origin, read } = relaying();
    origin.publish(1, 2);
    expect(await read(undefined)).toMatchObject({ items: [], next: origin.at(12), by: { name: "berlin", node: "b" } });
  });
});

describe("the reader", () => {
  test("asks only while somebody waits", async () => {
    const { origin, b, clock, read } = relaying();
    const waiting = read(origin.at(10), { wait: 1_000 });
    await settled();
    clock.advance(1_000);
    await waiting;
    const asked = b.asked.length;
    origin.publish(1);
    await settled();
    origin.publish(2);
    await settled();
    expect(b.asked.length).toBe(asked);
    expect(dataOf(await read(origin.at(10)))).toEqual([1]);
  });

  test("goes on by the next way where its session ends, at once and after the same cursor", async () => {
    const { origin, b, c, follow } = relaying();
    const [one, other] = [follow(origin.at(10)), follow(origin.at(10), ["n-x"])];
    await settled();
    origin.publish(1, 2);
    await settled();
    b.lose();
    origin.publish(3);
    await settled();
    expect([one, other]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(c.asked[0]?.after).toBe(origin.at(12));
    expect([b.crossed, c.crossed]).toEqual([2, 1]);
  });

  test("leaves a way that leads there no more", async () => {
    const { origin, c, relay, paths, follow } = relaying();
    const found = follow(origin.at(10));
    await settled();
    paths.shift();
    relay.changed();
    await settled();
    origin.publish(1);
    await settled();
    expect([found, c.crossed]).toEqual([[1], 1]);
  });

  test("says that nobody leads there, and whoever waits may ask elsewhere", async () => {
    const { origin, b, c, read } = relaying();
    const waiting = faultFrom(read(origin.at(10)));
    await settled();
    b.lose();
    c.lose();
    expect(await waiting).toMatchObject({ code: "TOPIC_UNREACHABLE" });
  });

  test("is never whom it asks: two that lead to each other do not wait for each other", async () => {
    const { origin, b, c, read, follow } = relaying();
    const mine = follow(origin.at(10));
    await settled();
    const theirs = read(origin.at(10), { via: ["b"] });
    await settled();
    expect([b.asked.length > 0, c.asked.at(-1)?.via]).toEqual([true, ["b"]]);
    origin.publish(1);
    expect(dataOf(await theirs)).toEqual([1]);
    await settled();
    expect(mine).toEqual([1]);
    expect(await faultFrom(read(origin.at(11), { via: ["c", "b"] }))).toMatchObject({ code: "TOPIC_UNREACHABLE" });
  });

  test("turns away whom it begins to ask", async () => {
    const { origin, b, c, follow, read, clock } = relaying();
    b.ended = true;
    const mine = follow(origin.at(10));
    const theirs = faultFrom(read(origin.at(10), { via: ["b"] }));
    await settled();
    b.ended = false;
    c.lose();
    await settled();
    clock.advance(100);
    // Its only way is by whom it would be asked by.
    expect(await theirs).toMatchObject({ code: "TOPIC_UNREACHABLE" });
    expect(mine).toEqual([]);
  });

  test("begins anew where its origin has another log, and each is told for their own cursor", async () => {
    const { origin, follow, read } = relaying();
    const waiting = faultFrom(read(origin.at(10)));
    await settled();
    origin.restore("l-restored");
    expect(await waiting).toMatchObject({ code: "TOPIC_UNREACHABLE" });
    expect(await faultFrom(read("10.l-origin"))).toMatchObject({ code: "CURSOR_FOREIGN" });
    const fresh = follow((await read(undefined)).next);
    await settled();
    origin.publish("new");
    await settled();
    expect(fresh).toEqual(["new"]);
  });

  test("reads anew what nobody asked for for a while", async () => {
    const { origin, b, clock, read } = relaying();
    origin.publish(1);
    await read(origin.at(11), { wait: 0 });
    origin.publish(...numbers(300));
    clock.advance(60_000);
    await read(origin.at(311), { wait: 0 });
    // Where it is now, and whether there is such a place: none of the three hundred.
    expect(b.crossed).toBe(0);
  });
});

test("who says at once that there is nothing, where they were to wait, is asked less and less", async () => {
  const origin = new FarOrigin();
  const b = new FarNeighbour("berlin", (asked) => origin.read({ ...asked, wait: 0 }));
  const { clock, ways, runtime } = waysBy({ b });
  const relay = new TopicRelay({ ways, runtime });
  const asked = { topic: TOPIC, origin: ORIGIN, after: origin.at(10), limit: 256, wait: 20_000, via: [] };
  const waiting = relay.read(asked, new AbortController().signal);
  for (let ms = 0; ms < 17_000; ms += 50) {
    clock.advance(50);
    await settled();
  }
  expect(b.asked.length).toBeLessThan(20);
  origin.publish(1);
  clock.advance(2_000);
  expect(dataOf(await waiting)).toEqual([1]);
});

test("an origin that looks through a long log, a part at a time, is not waited for", async () => {
  const origin = new FarOrigin();
  const parts = (asked: Asked) => {
    const from = asked.after === undefined ? undefined : entryIn(asked.after);
    return from === undefined || from >= 40_000 ? origin.read(asked) : { items: [], next: origin.at(from + 5_000) };
  };
  const b = new FarNeighbour("berlin", parts);
  const { ways, runtime } = waysBy({ b });
  const relay = new TopicRelay({ ways, runtime });
  origin.head = 50_000;
  origin.publish(1);
  const asked = { topic: TOPIC, origin: ORIGIN, after: origin.at(10), limit: 256, wait: 20_000, via: [] };
  expect(dataOf(await relay.read(asked, new AbortController().signal))).toEqual([1]);
});

test("an origin that says for ever that there is nothing so far is asked less and less", async () => {
  const b = new FarNeighbour("berlin", ({ after }: Asked) => ({
    items: [],
    next: `${after === undefined ? 10 : entryIn(after) + 1_000}.l-origin`,
  }));
  const { ways, runtime } = waysBy({ b });
  const relay = new TopicRelay({ ways, runtime });
  const asked = { topic: TOPIC, origin: ORIGIN, after: "10.l-origin", limit: 256, wait: 20_000, via: [] };
  const waiting = relay.read(asked, new AbortController().signal);
  for (let i = 0; i < 20; i++) await settled();
  expect(b.asked.length).toBeLessThan(100);
  relay.stop();
  expect(await faultFrom(waiting)).toMatchObject({ code: "STOPPING" });
});

test("whoever waits begins anew where another's cursor shows that the origin has another log", async () => {
  const origin = new FarOrigin();
  let other = false;
  const b = new FarNeighbour("berlin", ({ after, ...asked }: Asked) => {
    if (after === "5.l-other") return { items: [], next: "5.l-other" };
    // What makes the reader pause.
    return origin.read({ ...asked, ...(after === undefined ? {} : { after }), wait: other ? asked.wait : 0 });
  });
  const { clock, ways, runtime } = waysBy({ b });
  const relay = new TopicRelay({ ways, runtime });
  const read = (after: string, wait: number) =>
    relay.read({ topic: TOPIC, origin: ORIGIN, after, limit: 256, wait, via: [] }, new AbortController().signal);
  const waiting = read(origin.at(10), 20_000);
  await settled();
  await read("5.l-other", 0);
  other = true;
  clock.advance(100);
  await settled();
  origin.publish(1);
  await settled();
  expect(dataOf(await waiting)).toEqual([1]);
});

describe("limits", () => {
  test("a peer waits for so many topics at once, and another is not held up", async () => {
    const { relay } = relaying();
    const never = (signal: AbortSignal) =>
      new Promise<string>((resolve) => signal.addEventListener("abort", () => resolve("over")));
    const waits = Array.from({ length: 1024 }, () => relay.forPeer("greedy", never));
    expect(await faultFrom(relay.forPeer("greedy", never))).toMatchObject({ code: "TOPIC_READS_EXCEEDED" });
    expect(await relay.forPeer("modest", async () => "read")).toBe("read");
    // What all of them are answered with at once is bounded too.
    expect([relay.roomOf("greedy"), relay.roomOf("modest")]).toEqual([4096, 1024 * 1024]);
    relay.lost({ name: "greedy", node: "n-greedy" });
    expect(new Set(await Promise.all(waits))).toEqual(new Set(["over"]));
    expect(await relay.forPeer("greedy", async () => "read")).toBe("read");
  });

  test("has so much read for it alone at once, and what others have read is not held up", async () => {
    const { origin, c, relay, read } = relaying();
    read(origin.at(10)).catch(() => {});
    await settled();
    // The reader asks b, by whom these say that they came: each reads on by itself.
    const asked = { topic: TOPIC, origin: ORIGIN, after: origin.at(10), limit: 256, wait: 20_000, via: ["b"] };
    const reading = (peer: string) =>
      relay.forPeer(peer, (signal, { slots }) => relay.read(asked, signal, slots)).catch(() => undefined);
    const all = Array.from({ length: 300 }, () => reading("osaka"));
    await settled();
    expect(c.asked.length).toBe(256);
    const other = reading("kyoto");
    await settled();
    expect(c.asked.length).toBe(257);
    // For who is gone nobody is asked any more.
    relay.lost({ name: "osaka", node: "o" });
    origin.publish(1);
    await Promise.all([...all, other]);
    expect(c.asked.length).toBe(257);
  });

  test("has so many places where a topic begins looked up at once", async () => {
    const { b, relay } = relaying();
    const asked = { topic: TOPIC, origin: ORIGIN, limit: 1, wait: 0, via: ["n-x"] };
    const reading = (peer: string) =>
      relay.forPeer(peer, (signal, { slots }) => relay.read(asked, signal, slots)).catch(() => undefined);
    b.answer = () => new Promise(() => {});
    for (let i = 0; i < 300; i++) void reading("osaka");
    await settled();
    expect(b.asked.length).toBe(256);
    void reading("kyoto");
    await settled();
    expect(b.asked.length).toBe(257);
  });

  test("who asks for one of many that are long past has one cross the link", async () => {
    const { origin, b, read } = relaying();
    await read(origin.at(10), { wait: 0 });
    origin.publish(...numbers(1_000));
    const { items } = await read(origin.at(20), { limit: 1, wait: 0 });
    expect([items.length, b.crossed]).toEqual([1, 1]);
  });

  test("what is kept is bounded, by number and by size", async () => {
    const { origin, read } = relaying();
    await read(origin.at(10), { wait: 0 });
    for (let page = 0; page < 6; page++) {
      const waiting = read(origin.at(origin.head));
      await settled();
      origin.publish("a".repeat(900_000));
      expect((await waiting).items).toHaveLength(1);
    }
    // The oldest are gone, and are read by whoever wants them.
    expect(dataOf(await read(origin.at(10), { limit: 1 }))).toEqual(["a".repeat(900_000)]);
  });
});
