// What of a publication goes over the wire: a frame that is too large would end the session, again and again.

import { expect, test } from "bun:test";
import type { FarPublication } from "../../publisher/elsewhere/topics.ts";
import { fitting } from "./fitting.ts";

const page = (data: unknown) => {
  const one: FarPublication = { topic: "action.tick", cursor: "6.l-c", id: "m-1", at: 1, data, hops: 0 };
  return { items: [one], next: "6.l-c" };
};

test("what fits goes as it is", () => {
  const small = page({ text: "a".repeat(4_000_000) });
  expect(fitting(small)).toEqual(small);
  expect(fitting({ items: [], next: "6.l-c" })).toEqual({ items: [], next: "6.l-c" });
});

test("what does not is told without its data, and how large it was", () => {
  const [one] = fitting(page("a".repeat(4 * 1024 * 1024))).items;
  expect(one).toMatchObject({ cursor: "6.l-c", data: null });
  expect(one?.omitted).toBeGreaterThan(4 * 1024 * 1024);
});

test("lists are larger in a frame than they are", () => {
  const text = "a".repeat(3_600_000);
  expect(fitting(page([text, ...new Array(100_000).fill(1)])).items[0]).not.toHaveProperty("omitted");
  expect(fitting(page([text, ...new Array(150_000).fill([])])).items[0]).toHaveProperty("omitted");
});

test("a page is cut where there is less room, and goes on behind what is in it; one publication there always is", () => {
  const items = [1, 2, 3].map((n) => ({ ...page("a".repeat(1000)).items[0], cursor: `${n}.l-c` })) as FarPublication[];
  expect(fitting({ items, next: "9.l-c" }, 2_500)).toEqual({ items: items.slice(0, 2), next: "2.l-c" });
  expect(fitting({ items, next: "9.l-c" }, 10)).toEqual({ items: items.slice(0, 1), next: "1.l-c" });
  expect(fitting({ items, next: "9.l-c" }, 10_000)).toEqual({ items, next: "9.l-c" });
});
