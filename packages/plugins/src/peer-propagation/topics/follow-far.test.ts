// Subscriptions to topics of other nodes: over one hop and two, by whichever side dialled, through fail-overs and restarts.

import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pairSecret, peered, routes, until } from "../peers.fixture.ts";
import {
  cut,
  elsewhere,
  handed,
  line,
  node,
  numbers,
  publishes,
  reads,
  stopped,
  subscribed,
  TOPIC,
} from "./topics.fixture.ts";

describe("a subscription to a topic elsewhere", () => {
  test.each([
    ["who is nearer dialled", false],
    ["who is nearer was dialled", true],
  ])(
    "has what is published two hops away, in order, where %s; the node between keeps nothing of it",
    async (_, turned) => {
      const [a, b, c] = [await node("n-a"), await node("n-b"), await node("n-c")];
      await line(turned ? [c, b, a] : [a, b, c]);
      const publish = await publishes(c);
      const id = await subscribed(a);
      const entries = b.hub.committer.tip;
      await publish(...numbers(20));
      expect(await handed(a, id, 20)).toEqual(numbers(20));
      expect(await elsewhere(a, id)).toMatchObject({ state: "arriving", origin: c.id, via: b.id, path: [b.id, c.id] });
      expect(b.hub.committer.tip).toBe(entries);
    },
  );

  test("crosses each link once, however many subscribe", async () => {
    const [a, b, c, e] = [await node("n-a"), await node("n-b"), await node("n-c"), await node("n-e")];
    await line([a, b, c]);
    await peered(e, b);
    const publish = await publishes(c);
    const ids = [await subscribed(a), await subscribed(a), await subscribed(a)];
    const [mine, theirs] = [await subscribed(b), await subscribed(e)];
    const everybody = [...ids.map((id) => [a, id] as const), [b, mine] as const, [e, theirs] as const];
    // One at a time, each waited for: a page is one publication.
    await until(() => reads(b, a) >= 2 && reads(b, e) >= 2);
    await publish(1);
    for (const [one, id] of everybody) expect(await handed(one, id, 1)).toEqual([1]);
    await until(() => reads(b, a) + reads(b, e) >= 6);
    const before = [reads(c, b), reads(b, a), reads(b, e)] as const;
    for (const n of numbers(10, 2)) {
      await publish(n);
      for (const [one, id] of everybody) expect(await handed(one, id, n)).toEqual(numbers(n));
    }
    const asked = () => [reads(c, b) - before[0], reads(b, a) - before[1], reads(b, e) - before[2]];
    await until(() => asked().every((times) => times >= 9));
    // A read that was on its way as the count began is one more.
    for (const times of asked()) expect(times).toBeLessThanOrEqual(10);
  });

  test("goes on by another way with the same cursor, while it is published: no gap, no duplicate", async () => {
    const [a, b, c, d] = [await node("n-a"), await node("n-b"), await node("n-c"), await node("n-d")];
    await line([a, b, c]);
    await line([a, d, c]);
    const publish = await publishes(c);
    await until(async () => (await a.app.route.show({ route: `topic:${TOPIC}` })).paths.length === 2);
    const id = await subscribed(a);
    let n = 0;
    const links = [[a, b] as const, [d, c] as const, [b, c] as const];
    for (const [one, other] of links) {
      await publish(...numbers(n + 5, n + 1));
      const publishing = publish(...numbers(n + 25, n + 6));
      const again = await cut(one, other);
      await publishing;
      n += 25;
      expect(await handed(a, id, n)).toEqual(numbers(n));
      await again();
    }
  });

  test("waits where nobody leads there, says so, and goes on", async () => {
    const [a, c] = [await node("n-a"), await node("n-c")];
    await line([a, c]);
    const publish = await publishes(c);
    const id = await subscribed(a);
    const again = await cut(a, c);
    await until(async () => (await elsewhere(a, id)).state === "waiting");
    await publish(...numbers(300));
    expect((await elsewhere(a, id)).why).toContain("no ");
    await again();
    expect(await handed(a, id, 300)).toEqual(numbers(300));
  });

  test("goes on where it was after a restart of its own node", async () => {
    const directory = mkdtempSync(join(tmpdir(), "capstan-follow-"));
    try {
      const [first, c] = [await node("n-a", { directory }), await node("n-c")];
      const secret = pairSecret("restarted");
      await peered(first, c, { secret });
      const publish = await publishes(c);
      const id = await subscribed(first);
      await publish(...numbers(5));
      expect(await handed(first, id, 5)).toEqual(numbers(5));
      await stopped(first);
      await publish(...numbers(10, 6));
      const again = await node("n-a", { directory });
      await again.app.peer.start({ name: c.id });
      expect(await handed(again, id, 10)).toEqual(numbers(10));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

test("a peer's limits say how much of what it leads to is taken in", async () => {
  const [a, c] = [await node("n-a"), await node("n-c")];
  await peered(a, c);
  const publish = await publishes(c);
  await a.app.peer.configure({ name: c.id, limits: { publications: 1 } });
  const id = await subscribed(a);
  await publish(...numbers(30));
  // Ten seconds' worth at once, and what was on its way with them.
  await until(async () => (await elsewhere(a, id)).why === `more than 1 publications a second come by ${c.id}`);
});

test("a topic that is not exported is neither known nor read", async () => {
  const [a, c] = [await node("n-a"), await node("n-c")];
  await publishes(c);
  await peered(a, c, { theirExports: { clauses: [{ name: "1", then: "accept", match: { routes: ["action:*"] } }] } });
  expect(await routes(a, {}, "topic")).toEqual([]);
  expect((await routes(a)).map(({ route }) => route)).toEqual(["action:tick"]);
});
