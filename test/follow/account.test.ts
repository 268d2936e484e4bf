// The account of a trial sees what it is for: a gap, a duplicate, what is out of order, what was lost.

import { expect, test } from "bun:test";
import { accountOf, type Came } from "./account.ts";

const good: Came = {
  ...{ published: [1, 2, 3], acknowledged: [1, 3], read: [1, 2, 3], imported: [1, 2, 3], missed: 0 },
  received: new Map([
    [1, 1],
    [2, 2],
    [3, 1],
  ]),
};

test("once each and in order is nothing wrong; a receiver may be handed one twice", () => {
  expect(accountOf(good)).toEqual([]);
});

test.each<[string, Partial<Came>, string]>([
  ["a gap", { read: [1, 3] }, "what was read at a is 2 publications, and 3 there were"],
  ["a duplicate", { imported: [1, 2, 2, 3] }, "the log of a has 2 twice, the second time as number 3"],
  ["another order", { read: [2, 1, 3] }, "what was read at a has 2 as number 1, and that was 1"],
  ["one that was acknowledged and is lost", { acknowledged: [4] }, "4 was acknowledged, and c has it not"],
  ["one that the receiver was not handed", { received: new Map([[1, 1]]) }, "2 was not handed to the receiver"],
  ["one that nobody published", { received: new Map([[9, 1]]) }, "the receiver was handed 9, which nobody published"],
  ["one that was missed", { missed: 1 }, "a says that it missed something, 1 times"],
])("%s is seen", (_, other, line) => {
  expect(accountOf({ ...good, ...other })).toContain(line);
});
