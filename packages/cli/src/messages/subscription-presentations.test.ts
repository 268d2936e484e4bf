// Subscriptions on the command line: of what other nodes publish, whether it arrives, from whom, and since when not.

import { afterAll, beforeEach, expect, test } from "bun:test";
import { evil } from "../remote/hostile-server.fixture.ts";
import { testIo } from "../test-io.ts";
import { askedNode } from "./asked-node.fixture.ts";

const node = askedNode();
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => node.forget());

const ID = "s-0123456789ABCDEF";
const AT = Date.UTC(2026, 10, 21, 14, 3);
const row = {
  ...{ id: ID, topic: "action.*", principal: "bob", grant: "g-2", at: AT, cursor: "7.l-a", lag: 1, state: "active" },
  followed: false,
};

test("what arrives from other nodes is told with from whom and when, and what does not with why and since when", async () => {
  const elsewhere = [
    { topic: "action.greet", state: "arriving", since: AT, origin: "n-c", via: "berlin", cursor: "4.l-c", at: AT },
    { topic: "action.new", state: "beginning", origin: "n-c", via: "berlin" },
    {
      ...{ topic: "action.old", state: "waiting", why: "no way leads there now", since: AT, origin: "n-d" },
      missed: { why: "gone", text: "entries before 30 were compacted away", at: AT, times: 2 },
    },
  ];
  node.answers({ "subscription.show": () => ({ ...row, elsewhere }) });
  const { out } = await node.capstan(["subscription", "show", ID]);
  expect(out.split("\n").slice(4)).toEqual([
    "active",
    "elsewhere     action.greet  arriving from n-c by berlin, the last 2026-11-21T14:03:00Z",
    "elsewhere     action.new  beginning from n-c by berlin",
    "elsewhere     action.old  waiting from n-d since 2026-11-21T14:03:00Z: no way leads there now",
    "missed        2, the last 2026-11-21T14:03:00Z: entries before 30 were compacted away",
    "",
  ]);
});

test("what a server makes of it stays in its line", async () => {
  const one = { topic: "a", state: "b", origin: "c", via: "d", why: "e", missed: { text: "f" } };
  for (const elsewhere of [[evil(one), one, {}], "x", 7, null]) {
    node.answers({ "subscription.show": () => ({ ...row, elsewhere }) });
    const { out, code } = await node.capstan(["subscription", "show", ID]);
    expect(code).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
    expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/);
  }
});

test("a receiver that fails on what it is handed is active and up to date, and what it failed on is told", async () => {
  node.answers({
    "subscription.list": () => ({ items: [{ ...row, receiver: "mail", deadLetters: 2 }], next: "s-9" }),
    "subscription.show": () => ({ ...row, receiver: "mail", deadLetters: 2 }),
  });
  expect((await node.capstan(["subscription", "show", ID])).out).toContain(
    "failed        2 for good: capstan dead-letter list --name mail\n",
  );
  const { out, err } = await node.capstan(["subscription", "list"]);
  expect(out).toEndWith("1 behind  active  2 failed for good\n");
  expect(err).toBe("  more: --after s-9\n");
  expect(node.asked()).toEqual(["subscription.show", "subscription.list"]);
  node.answers({ "subscription.show": () => ({ ...row, receiver: "mail", deadLetters: 0 }) });
  expect((await node.capstan(["subscription", "show", ID])).out).not.toContain("failed");
});

test("an empty list is said to be one to whoever sits in front of it, and is empty to programs", async () => {
  node.answers({ "subscription.list": () => ({ items: [] }), "peer.list": () => ({ items: [] }) });
  const terminal = { ...testIo(), terminal: { stdout: true, stderr: true } };
  for (const words of [
    ["subscription", "list"],
    ["peer", "list"],
  ]) {
    const piped = await node.capstan(words);
    expect([piped.out, piped.err]).toEqual(["", ""]);
    await node.capstan(words, terminal);
  }
  expect([terminal.out(), terminal.err()]).toEqual(["", "  none\n  none\n"]);
});
