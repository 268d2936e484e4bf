// What a peer may ask of us, as clauses of its grant: no action that its export policy cannot tell it of.

import { expect, test } from "bun:test";
import type { RouteClause } from "@capstan/peer";
import { parseClause } from "../../clause.ts";
import { clausesOf } from "./rights.ts";

const says = [
  ...["open", "update", "keepalive", "endOfTable", "refresh", "notify", "close", "explain"].map(
    (verb) => `peer.${verb}`,
  ),
  ...["prove", "leaves", "held"].map((verb) => `witness.${verb}`),
  "action.recall",
];
const uses = (internal: boolean, ...clauses: Omit<RouteClause, "name">[]) => {
  const allow = clausesOf({ clauses: clauses.map((one, i) => ({ name: `${i}`, ...one })) }, internal);
  expect(allow.slice(0, says.length)).toEqual(says);
  for (const text of allow) expect(parseClause(text)).toBeDefined();
  return allow.slice(says.length);
};

test("without a policy nothing crosses a border, and everything passes inside a domain", () => {
  expect(uses(false)).toEqual([]);
  expect(uses(true)).toEqual(["action.perform", "action.schemas", "topic.read"]);
});

test("what is accepted by name may be used by name", () => {
  const match = { routes: ["action:greet", "action:report.*", "topic:action.*"] };
  expect(uses(false, { then: "accept", match })).toEqual([
    ...["action.perform:greet", "action.perform:report.*"],
    ...["action.schemas:greet", "action.schemas:report.*"],
    "topic.read:action.*",
  ]);
});

test("what is rejected gives nothing, and what is accepted for another reason than its name may be anything", () => {
  expect(uses(false, { then: "reject", match: { routes: ["action:greet"] } })).toEqual([]);
  const tags = ["customer"];
  expect(uses(false, { then: "accept", match: { tags } })).toEqual(["action.perform", "action.schemas", "topic.read"]);
  expect(uses(false, { then: "accept", match: { routes: ["action:*", "action:a"] } })).toEqual([
    "action.perform",
    "action.schemas",
  ]);
});
