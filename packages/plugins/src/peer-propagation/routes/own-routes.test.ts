// What a node offers: rows of whatever tables say that they are routable, and nothing of them twice.

import { expect, test } from "bun:test";
import { type FollowedRow, table } from "@capstan/orchestrator";
import type { SpeakerInput } from "@capstan/peer";
import { OwnRoutes } from "./own-routes.ts";

interface Row {
  readonly name?: string;
  readonly digest?: string;
  readonly others?: readonly string[];
}

const routes = (_key: string, { name, digest = "", others = [] }: Row) => {
  if (name === "channel:broken") throw new Error("broken");
  return [name, ...others].flatMap((one) => (one === undefined ? [] : [[one, digest] as const]));
};
const books = table<Row>("book", "logged", { routes });
const shelves = table<Row>("shelf", "logged", { routes });

function offering() {
  const told: unknown[] = [];
  const errors: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (_: object, text: string) => void errors.push(text) };
  const own = new OwnRoutes((input: SpeakerInput) => void told.push(input), log);
  const change = (...rows: readonly (readonly [FollowedRow["table"], string, Row | undefined])[]): unknown => {
    told.length = 0;
    own.changed(rows.map(([of, key, row]) => ({ table: of, key, row })));
    return told.map((input) => {
      const { announce, withdraw } = input as { announce: unknown; withdraw: unknown };
      return [announce, withdraw];
    });
  };
  return { change, errors };
}

test("a row that has a route is announced, with another digest again, and withdrawn when it goes", () => {
  const { change } = offering();
  expect(change([books, "a", { name: "channel:a" }], [books, "b", {}])).toEqual([[[["channel:a", ""]], []]]);
  expect(change([books, "a", { name: "channel:a" }])).toEqual([]); // written again, the same
  expect(change([books, "a", { name: "channel:a", digest: "d" }])).toEqual([[[["channel:a", "d"]], []]]);
  expect(change([books, "b", undefined])).toEqual([]); // it was never told
  expect(change([books, "a", undefined])).toEqual([[[], ["channel:a"]]]);
});

test("a row that comes to be another route is one less and one more", () => {
  const { change } = offering();
  change([books, "a", { name: "channel:a" }]);
  expect(change([books, "a", { name: "channel:z" }])).toEqual([[[["channel:z", ""]], ["channel:a"]]]);
  expect(change([books, "a", {}])).toEqual([[[], ["channel:z"]]]);
});

test("a row of several routes is each of them, and what goes is what it has no more", () => {
  const { change } = offering();
  expect(change([books, "a", { name: "channel:a", others: ["topic:a", "channel:a"] }])).toEqual([
    [
      [
        ["channel:a", ""],
        ["topic:a", ""],
      ],
      [],
    ],
  ]);
  expect(change([books, "a", { name: "channel:a", others: ["topic:b"] }])).toEqual([[[["topic:b", ""]], ["topic:a"]]]);
  expect(change([shelves, "s", { name: "topic:b", digest: "s" }])).toEqual([[[["topic:b", ""]], []]]);
  expect(change([books, "a", undefined])).toEqual([[[["topic:b", "s"]], ["channel:a"]]]);
});

test("two rows of one name are one route, for as long as one of them is there", () => {
  const { change } = offering();
  change([shelves, "a", { name: "channel:a", digest: "s" }]);
  expect(change([books, "a", { name: "channel:a", digest: "b" }])).toEqual([[[["channel:a", "b"]], []]]);
  expect(change([books, "a", undefined])).toEqual([[[["channel:a", "s"]], []]]);
  expect(change([shelves, "a", undefined])).toEqual([[[], ["channel:a"]]]);
});

test("of the rows of one name the first says which, in the order of their tables and keys, whenever they came", () => {
  const { change } = offering();
  const digestIs = (digest: string) => [[[["channel:a", digest]], []]];
  expect(change([books, "b", { name: "channel:a", digest: "2" }])).toEqual(digestIs("2"));
  expect(change([books, "a", { name: "channel:a", digest: "1" }])).toEqual(digestIs("1"));
  expect(change([books, "c", { name: "channel:a", digest: "3" }])).toEqual(digestIs("1"));
  expect(change([books, "a", { name: "channel:a", digest: "9" }])).toEqual(digestIs("9"));
  expect(change([books, "a", undefined])).toEqual(digestIs("2"));
});

test("a table that cannot say its row's routes costs that row alone", () => {
  const { change, errors } = offering();
  expect(change([books, "x", { name: "channel:broken" }], [books, "a", { name: "channel:a" }])).toEqual([
    [[["channel:a", ""]], []],
  ]);
  expect(errors).toEqual(["a table could not say its row's routes"]);
});
