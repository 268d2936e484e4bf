// A page that a peer answers with: taken as a whole where it is what was asked for, and not at all where it is anything else.

import { expect, test } from "bun:test";
import { readPage } from "./far-page.ts";

const TOPIC = "action.tick";
const one = (entry: number, more: object = {}) => ({
  ...{
    topic: TOPIC,
    cursor: `${entry}.l-c`,
    id: "m-1KJMMA2G0E0J38R2",
    at: 1,
    data: { n: entry },
    action: "tick",
    hops: 0,
  },
  ...more,
});
const read = (answer: unknown, asked: { after?: string; limit?: number } = { after: "5.l-c" }) =>
  readPage(answer, { topic: TOPIC, limit: 4, ...asked });

test("publications behind the cursor, in order, and where to go on from", () => {
  const page = read({ items: [one(6), one(9, { correlation: "c", principal: "app", root: "m-1" })], next: "12.l-c" });
  expect(page).toMatchObject({ items: [{ one: { cursor: "6.l-c" } }, { one: { correlation: "c" } }], next: "12.l-c" });
  expect(read({ items: [], next: "5.l-c" })).toEqual({ items: [], next: "5.l-c" });
  expect(read({ items: [], next: "0.l-c" }, {})).toEqual({ items: [], next: "0.l-c" });
});

test("fields that a later version may have are passed over", () => {
  expect(read({ items: [{ ...one(6), more: 1 }], next: "6.l-c", head: "7.l-c" })).toHaveProperty("next", "6.l-c");
});

test("a publication is measured in characters, as frames are", () => {
  const data = "€".repeat(1.5 * 1024 * 1024);
  expect(read({ items: [one(6, { data })], next: "6.l-c" })).toHaveProperty("next", "6.l-c");
});

const huge = "a".repeat(5 * 1024 * 1024);
let deep: unknown = 1;
for (let i = 0; i < 200; i++) deep = [deep];

test.each<[string, unknown, string]>([
  ["nothing", undefined, "is a undefined"],
  ["a text", "page", "is no page"],
  ["what another message is answered with", { execution: "x-1", output: 1 }, "is no page"],
  ["another topic", { items: [one(6, { topic: "action.pay" })], next: "6.l-c" }, "another topic"],
  ["a pattern", { items: [one(6, { topic: "action.*" })], next: "6.l-c" }, "another topic"],
  ["another action's name", { items: [one(6, { action: "pay" })], next: "6.l-c" }, "another action"],
  ["cursors that run backwards", { items: [one(7), one(6)], next: "7.l-c" }, "not in the order"],
  ["one cursor twice", { items: [one(6), one(6)], next: "7.l-c" }, "not in the order"],
  ["what was before the cursor", { items: [one(5)], next: "7.l-c" }, "not in the order"],
  ["cursors of two logs", { items: [one(6), one(7, { cursor: "7.l-d" })], next: "8.l-d" }, "not in the order"],
  ["another log than was asked for", { items: [], next: "9.l-d" }, "goes on from before"],
  ["a next before its last", { items: [one(6), one(9)], next: "8.l-c" }, "goes on from before"],
  ["a next before the cursor", { items: [], next: "4.l-c" }, "goes on from before"],
  ["a cursor that is none", { items: [one(6, { cursor: "six" })], next: "7.l-c" }, "a cursor that is none"],
  ["a cursor of a number that is none", { items: [], next: `${"9".repeat(40)}.l-c` }, "no cursor to go on from"],
  ["no next", { items: [one(6)] }, "is no page"],
  ["more than was asked for", { items: [6, 7, 8, 9, 10].map((n) => one(n)), next: "10.l-c" }, "5 publications"],
  ["a callback", { items: [one(6, { data: () => "called" })], next: "6.l-c" }, "is a function"],
  ["a date", { items: [one(6, { data: new Date(0) })], next: "6.l-c" }, "no plain object"],
  ["5 MiB", { items: [one(6, { data: huge })], next: "6.l-c" }, "is larger than"],
  ["200 levels", { items: [one(6, { data: deep })], next: "6.l-c" }, "is nested deeper"],
])("%s is no page", (_, answer, why) => {
  expect(read(answer)).toEqual({ why: expect.stringContaining(why) });
});

test("where a place was asked for there are no publications", () => {
  expect(read({ items: [one(6)], next: "6.l-c" }, {})).toEqual({
    why: expect.stringContaining("a place was asked for"),
  });
});
