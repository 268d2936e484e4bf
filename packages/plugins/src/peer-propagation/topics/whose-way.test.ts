// By which way a topic is read for all who wait is nobody's to say by where he says that he came through: a neighbour that would have it read
// by another, who says nothing, holds up nobody but himself.

import { describe, expect, test } from "bun:test";
import type { TopicPage } from "../../publisher/elsewhere/topics.ts";
import { FarNeighbour, FarOrigin, ORIGIN, settled, TOPIC, waysBy } from "./far-origin.fixture.ts";
import { TopicRelay } from "./topic-relay.ts";

const dataOf = ({ items }: TopicPage) => items.map(({ data }) => data);

/** By the best way, `b`, all comes; by `c` nothing ever does. */
function relaying() {
  const origin = new FarOrigin();
  const b = new FarNeighbour("berlin", (asked) => origin.read(asked));
  const c = new FarNeighbour("cairo", () => new Promise(() => {}));
  const { clock, ways, runtime } = waysBy({ b, c });
  const relay = new TopicRelay({ ways, runtime });
  const read = (after: string, more: { via?: readonly string[]; wait?: number } = {}) => {
    const asked = { topic: TOPIC, origin: ORIGIN, limit: 256, wait: 20_000, via: [], after, ...more };
    return relay.read(asked, new AbortController().signal);
  };
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
  return { origin, b, c, clock, read, follow };
}

/** It says that it came through `b`, and so would have `c` asked. */
const LED_ROUND = { via: ["b", "n-x"] };

describe("who was led round the best way", () => {
  test("and waited first does not hold up those who come by it", async () => {
    const { origin, follow, read } = relaying();
    await read(origin.at(10), { wait: 0 });
    read(origin.at(10), LED_ROUND).catch(() => {});
    await settled();
    const mine = follow(origin.at(10));
    await settled();
    origin.publish(1, 2);
    await settled();
    origin.publish(3);
    await settled();
    expect(mine).toEqual([1, 2, 3]);
  });

  test("and begins first does not, either", async () => {
    const { origin, follow, read } = relaying();
    read(origin.at(10), LED_ROUND).catch(() => {});
    await settled();
    const mine = follow(origin.at(10));
    await settled();
    origin.publish(1);
    await settled();
    expect(mine).toEqual([1]);
  });

  test("and is behind at the same place does not, either", async () => {
    const { origin, follow, read } = relaying();
    origin.publish(1, 2, 3);
    await read(origin.at(13), { wait: 0 });
    read(origin.at(10), LED_ROUND).catch(() => {});
    await settled();
    const mine = follow(origin.at(10));
    await settled();
    expect(mine).toEqual([1, 2, 3]);
  });

  test("and is told of less does not have the others told of less", async () => {
    const { origin, c, follow, read } = relaying();
    origin.publish(1, 2, 3);
    // Up to 13 there is nothing, it says.
    c.answer = () => ({ items: [], next: origin.at(13) });
    await read(origin.at(13), { wait: 0 });
    expect(await read(origin.at(10), { ...LED_ROUND, wait: 0 })).toMatchObject({ items: [], next: origin.at(13) });
    const mine = follow(origin.at(10));
    await settled();
    expect(mine).toEqual([1, 2, 3]);
  });

  test("waits with the others where all of them are led by one that all may be", async () => {
    const { origin, b, follow } = relaying();
    const all = [follow(origin.at(10), ["c", "n-x"]), follow(origin.at(10), ["n-y"]), follow(origin.at(10))];
    await settled();
    origin.publish(1, 2);
    await settled();
    for (const found of all) expect(found).toEqual([1, 2]);
    expect(b.crossed).toBe(2);
  });
});
