// Performing before a terminal: what takes long says what it is called, and Ctrl-C leaves it to go on; it is one execution all the
// same. Where nobody sits, nothing of that.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Io } from "../io.ts";
import { capstanIn, type ServedNode, servedNode, start } from "../served-node.fixture.ts";

let node: ServedNode;

beforeAll(async () => {
  node = await servedNode();
  for (const [name, ...argv] of [
    ["slow", "/bin/sleep", "60"],
    ["quick", "/bin/cat"],
  ] as const)
    expect((await node.capstan("action", "register", name, "--process", "--", ...argv)).err).toBe("");
});
afterAll(() => node[Symbol.asyncDispose]());

/** A terminal whose timers run at once. */
const terminal: Partial<Io> = {
  terminal: { stdout: true, stderr: true },
  after(_, call) {
    const timer = setTimeout(call, 0);
    return () => clearTimeout(timer);
  },
};

test("what takes long says what is waited for, and is left to go on by Ctrl-C", async () => {
  const going = start(node.cwd, ["perform", "slow", "{}"], terminal);
  await going.shows(/waiting for x-[0-9A-Z]+ {3}1 s {3}Ctrl-C leaves it to go on/);
  const { code, out, err } = await going.stop();
  expect([code, out]).toEqual([75, ""]);
  const [, execution, message] =
    /DETACHED.* {2}(x-\w+) is no longer waited for, and goes on; to wait again: capstan message attach (m-\w+)\n$/.exec(
      err,
    ) ?? [];
  const listed = JSON.parse((await node.capstan("execution", "list", "--json")).out) as {
    items: { id: string; state: string }[];
  };
  expect(listed.items).toMatchObject([{ id: execution, state: "running" }]);
  const attached = start(node.cwd, ["message", "attach", message as string]);
  expect((await node.capstan("execution", "cancel", execution as string)).code).toBe(0);
  const end = await capstanIn(node.cwd, ["message", "attach", message as string]);
  expect([end.code, end.err]).toEqual([1, expect.stringContaining("CANCELLED")]);
  await attached.stop();
});

test("with --json, or where nobody sits, nothing is sent or said beside it", async () => {
  for (const [argv, over] of [
    [["perform", "quick", '{"a":1}', "--json"], terminal],
    [["perform", "quick", '{"a":1}'], {}],
  ] as const) {
    const { code, err } = await capstanIn(node.cwd, argv, over);
    expect([code, err]).toEqual([0, expect.not.stringContaining("waiting")]);
  }
  const keyed = await capstanIn(node.cwd, ["perform", "quick", "{}", "--key", "mine"], terminal);
  const again = await capstanIn(node.cwd, ["perform", "quick", "{}", "--key", "mine"], terminal);
  const executionOf = ({ err }: { readonly err: string }) => /execution (x-\w+)/.exec(err)?.[1];
  expect(executionOf(again)).toBe(executionOf(keyed) as string);
});

test("what is only accepted says how to wait for it", async () => {
  const { code, out, err } = await node.capstan("perform", "quick", '{"a":1}', "--wait", "0");
  expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ pending: true })]);
  const [, attach = ""] = /^ {2}to wait for it: capstan (message attach m-\w+)$/m.exec(err) ?? [];
  expect(await node.capstan(...attach.split(" "))).toMatchObject({ code: 0, out: expect.stringContaining('"output"') });
});

test("--at says where, whatever is here", async () => {
  const { code, err } = await node.capstan("perform", "quick", "{}", "--at", "berlin");
  expect([code, err]).toEqual([75, expect.stringContaining('there is no session with a peer "berlin"')]);
});
