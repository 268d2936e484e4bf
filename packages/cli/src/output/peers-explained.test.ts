// How what peers said reads: further in with each node further away, and each silence in a line. Data is what `peer.explain` answers.

import { expect, test } from "bun:test";
import { peersExplained, type Told } from "./peers-explained.ts";

const text = (...peers: Told[]): string[] => peersExplained(peers).split("\n");

const osaka: Told = {
  ...{ name: "osaka", node: "n-01JB" },
  said: {
    ...{ disclosed: "clauses", id: "m-3", state: "refused", code: "INPUT_INVALID", plugin: "executor" },
    text: 'greet: "name" is required',
    plugins: [
      { plugin: "auth", verdict: "next", clause: "action.perform:greet" },
      { plugin: "executor", verdict: "refused" },
      { plugin: "publisher", verdict: "not reached" },
      { plugin: "ledger", verdict: "not reached" },
    ],
  },
};

test("clauses and texts where they are told, the far node below the near one", () => {
  const said = { disclosed: "outcome", id: "m-2", state: "failed", code: "INPUT_INVALID", peers: [osaka] };
  expect(text({ name: "n-b", node: "n-b", said })).toEqual([
    "  at n-b     failed    m-2   INPUT_INVALID",
    '    at osaka      refused   n-01JB   m-3   INPUT_INVALID: greet: "name" is required',
    "      auth        next      action.perform:greet",
    "      executor    refused",
    "      publisher…  not reached",
    "",
  ]);
});

test("the plugin beside the code where no clauses are told", () => {
  const said = { disclosed: "outcome", id: "m-2", state: "refused", code: "REFUSED", plugin: "auth" };
  expect(text({ name: "b", node: "n-b", said })).toEqual(["  at b       refused   n-b   m-2   REFUSED   by auth", ""]);
});

test("who tells nothing, and who did not say", () => {
  expect(text({ name: "b", node: "n-b", said: { disclosed: "nothing" } })).toEqual([
    "  at b       tells nothing  n-b",
    "",
  ]);
  expect(text({ name: "b", node: "b", silent: "there is no session with it now" })).toEqual([
    "  at b       did not say  there is no session with it now",
    "",
  ]);
});

test("no words of a peer's are another line, and what has no end has one", () => {
  let told: Told = { name: "x\n", node: "y\u001b[2J", said: { disclosed: "clauses", state: "\u202edone", text: "z" } };
  expect(text(told)).toEqual(["  at x\\u000a      \\u202edone     y\\u001b[2J   z", ""]);
  for (let i = 0; i < 100; i++) told = { name: "n", node: "n", said: { disclosed: "outcome", peers: [told] } };
  expect(text(told).length).toBeLessThan(20);
});
