// What goes out as a frame's text, and what goes out in its place.

import { expect, test } from "bun:test";
import { SessionBudget } from "./budget.ts";
import { encodeMessage } from "./encode.ts";
import { Inbox } from "./inbox.ts";
import type { SessionLimits } from "./limits.ts";

/** A session in which the other side has asked for two things. */
function session(limits: Partial<SessionLimits> = {}) {
  const budget = new SessionBudget({ frameBytes: 300, ...limits });
  budget.authenticating(Promise.resolve());
  for (const id of [1, 2]) {
    budget.frame('["push",["pipeline",0,["health"],[]]]');
    budget.frame(`["pull",${id}]`);
  }
  const inbox = new Inbox(budget);
  const injected: unknown[] = [];
  inbox.listen({ message: (message) => void injected.push(message), failed() {} });
  return {
    budget,
    injected,
    encode: (message: unknown[], waiting = 0) => encodeMessage(message, budget, inbox, waiting),
  };
}

const large = "y".repeat(400);

test.each([
  ["an answer", ["resolve", 1, { output: large }]],
  ["a fault's text", ["reject", 1, ["error", "Error", large, null, { code: "ACTION_FAILED" }]]],
  [
    "a fault's details",
    ["reject", 1, ["error", "Error", "it failed", null, { code: "ACTION_FAILED", details: large }]],
  ],
])("%s that a node's frame has no room for is a fault, and another goes out as it is", (_, message) => {
  const { budget, encode } = session();
  budget.withNode();
  expect(JSON.parse(encode(message) as string)).toEqual([
    "reject",
    1,
    ["error", "Error", expect.stringContaining("may have 300 in this session"), null, { code: "TOO_LARGE" }],
  ]);
  expect(encode(["resolve", 2, { output: 1 }])).toBe('["resolve",2,{"output":1}]');
});

test("stubs in what is not sent are given back", () => {
  const { budget, encode, injected } = session();
  budget.withNode();
  encode(["resolve", 1, { scope: ["export", -1], large }]);
  expect(injected).toEqual([["release", -1, 1]]);
});

test("a caller that is no node is sent it whole", () => {
  expect(session().encode(["resolve", 1, large])).toHaveLength(large.length + '["resolve",1,""]'.length);
});

test("what no session has room for fails alone", () => {
  const { encode } = session({ outboundBytes: 175 });
  expect(encode(["resolve", 1, large])).toMatch(/^\["reject",1,.*may have 350 in this session.*"TOO_LARGE"/);
  expect(encode(["resolve", 2, 1])).toBe('["resolve",2,1]');
});

test("where too many answers wait for a node, a large one is refused alone, and is to be asked for again", () => {
  const limits = { frameBytes: 3_000, outboundBytes: 1_000 };
  const { budget, encode } = session(limits);
  const answer = ["resolve", 1, "y".repeat(1_500)];
  budget.withNode();
  expect(encode(answer, 1_600)).toMatch(/^\["reject",1,.*"SESSION_BUDGET"/);
  expect(encode(["resolve", 2, { output: 1 }], 3_000)).toBe('["resolve",2,{"output":1}]');
  const another = session(limits);
  another.budget.withNode();
  expect(another.encode(answer, 1_400)).toBe(JSON.stringify(answer));
});
