// What is kept of a topic's publications, where its origin's log was restored: it is of one history, and serves no place of another.

import { expect, test } from "bun:test";
import type { FarPublication } from "../../publisher/elsewhere/topics.ts";
import type { FarPage } from "./far-page.ts";
import { Ring } from "./ring.ts";

const page = (next: string, ...cursors: readonly string[]): FarPage => ({
  items: cursors.map((cursor) => ({
    one: { topic: "action.tick", cursor, id: cursor, at: 1, data: cursor, hops: 0 } satisfies FarPublication,
    size: 10,
  })),
  next,
});

test("a place of after a restore is not served with what was published before it, and the other way round", () => {
  const ring = new Ring("10.l-a");
  ring.append(page("20.l-a", "15.l-a", "20.l-a"));
  expect(ring.reaches("15.l-a")).toBe(true);
  expect(ring.reaches("15.l-a.3")).toBe(false);
  // Read on after a restore that kept all of it.
  ring.append(page("30.l-a.3", "25.l-a.3"));
  expect([ring.reaches("15.l-a"), ring.reaches("25.l-a.3")]).toEqual([false, true]);
});

test("what somebody read of another history is not put in front of it", () => {
  const ring = new Ring("10.l-a");
  ring.append(page("20.l-a", "15.l-a"));
  ring.precede("5.l-a", page("12.l-a.3", "8.l-a.3", "12.l-a.3"));
  expect(ring.reaches("5.l-a")).toBe(false);
  ring.precede("5.l-a", page("12.l-a", "8.l-a", "12.l-a"));
  expect(ring.after("5.l-a", 10).items.map(({ cursor }) => cursor)).toEqual(["8.l-a", "15.l-a"]);
});
