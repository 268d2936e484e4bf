// Publications on the command line: history and then live, through a server that restarts, without a gap or a repeat; filters,
// bounds, and what ends it.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { directory, type ServedNode, servedNode } from "../served-node.fixture.ts";

const GREET = `import { z } from "zod";
import { defineAction } from "@capstan/plugins";
export default defineAction({
  input: z.object({ name: z.string() }), output: z.object({ text: z.string(), name: z.string() }),
  async run({ name }) { return { text: "Hello, " + name, name }; },
});
`;

let node: ServedNode;

beforeAll(async () => {
  const cwd = directory();
  writeFileSync(join(cwd, "greet.ts"), GREET);
  node = await servedNode(cwd);
  for (const name of ["greet", "hello", "tea/hello"])
    expect((await node.capstan("action", "register", name, "--module", "./greet.ts")).code).toBe(0);
  for (const [action, name] of [
    ["greet", "Ada"],
    ["hello", "Bob"],
    ["greet", "Cyd"],
    ["tea/hello", "Dan"],
  ] as const)
    expect(await perform(action, name)).toBe(0);
});
afterAll(() => node[Symbol.asyncDispose]());

async function perform(action: string, name: string): Promise<number> {
  return (await node.capstan("perform", action, JSON.stringify({ name }))).code;
}

interface Shown {
  readonly topic: string;
  readonly cursor: string;
  readonly data: { readonly name: string };
}

function linesOf(out: string): Shown[] {
  return out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Shown);
}

/** The names of what is shown. */
async function names(...argv: string[]): Promise<string[]> {
  const { code, out, err } = await node.capstan("tail", "--no-follow", "--json", ...argv);
  expect([code, err]).toEqual([0, ""]);
  return linesOf(out).map(({ data }) => data.name);
}

describe("capstan tail", () => {
  test("shows history a line each, in its order, and where to go on from", async () => {
    const { code, out, err } = await node.capstan("tail", "--from", "start", "--no-follow");
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.replace(/^\S+Z/, "…"))).toEqual([
      '…  action.greet  {text: "Hello, Ada", name: Ada}',
      '…  action.hello  {text: "Hello, Bob", name: Bob}',
      '…  action.greet  {text: "Hello, Cyd", name: Cyd}',
      '…  action.tea/hello  {text: "Hello, Dan", name: Dan}',
      "",
    ]);
    const [, from = ""] = /^ {2}to go on from here: capstan tail --from (\S+)\n$/.exec(err) ?? [];
    expect(await names("--from", from)).toEqual([]);
    expect(await names()).toEqual([]);
  });

  test("takes topics, prefixes, filters and bounds", async () => {
    expect(await names("action.greet", "--from", "start")).toEqual(["Ada", "Cyd"]);
    expect(await names("action.tea/*", "--from", "start")).toEqual(["Dan"]);
    expect(await names("action.hello", "action.tea/hello", "--from", "start")).toEqual(["Bob", "Dan"]);
    expect(await names("--from", "start", "--filter", "data.name=Cyd")).toEqual(["Cyd"]);
    expect(await names("--from", "start", "--filter", "data.name=Cyd", "--filter", "topic=action.hello")).toEqual([]);
    expect(await names("--from", "start", "--limit", "3")).toEqual(["Ada", "Bob", "Cyd"]);
    const { out } = await node.capstan("tail", "--from", "start", "--limit", "2", "--json");
    expect(await names("--from", linesOf(out)[1]?.cursor as string)).toEqual(["Cyd", "Dan"]);
  });

  test("goes on from there with the filters that it had, as a shell takes them", async () => {
    const filters = ["--filter", "data.name=Cyd", "--filter", "data.text=it's"];
    const { err } = await node.capstan("tail", "action.*", "--from", "start", "--no-follow", ...filters);
    expect(err).toStartWith(
      "  to go on from here: capstan tail 'action.*' --filter data.name=Cyd --filter 'data.text=it'\\''s' --from ",
    );
  });

  test("shows what comes as it comes, until Ctrl-C, and tells then where it was", async () => {
    const going = node.start("tail", "action.greet", "--from", "start");
    await going.shows("Cyd");
    await perform("greet", "Eve");
    await going.shows("Eve");
    await perform("hello", "nobody");
    await perform("greet", "Fay");
    await going.shows("Fay");
    const { code, out, err } = await going.stop();
    expect([code, out.match(/name: (\w+)/g)]).toEqual([0, ["name: Ada", "name: Cyd", "name: Eve", "name: Fay"]]);
    const from = /--from (\S+)/.exec(err)?.[1] as string;
    expect(err).toBe(`  to go on from here: capstan tail action.greet --from ${from}\n`);
    expect(await names("action.greet", "--from", from)).toEqual([]);
  });

  test("of a subscription goes on from where that is, and acknowledges only where it is told to", async () => {
    const made = await node.capstan("subscription", "create", "action.greet", "--from", "start", "--json");
    const { id } = JSON.parse(made.out) as { id: string };
    const of = ["--subscription", id, "--limit", "1"];
    expect(await names(...of)).toEqual(["Ada"]);
    expect(await names(...of)).toEqual(["Ada"]);
    expect(await names(...of, "--ack")).toEqual(["Ada"]);
    expect(await names(...of)).toEqual(["Cyd"]);
    expect((await node.capstan("subscription", "list")).out).toMatch(
      new RegExp(`^${id} {2}action\\.greet {2}cursor {2}\\d+ behind {2}active$`, "m"),
    );
  });

  test("refuses what it cannot follow, each with what to do", async () => {
    const said = async (...argv: string[]) => {
      const { code, err } = await node.capstan("tail", ...argv);
      return [code, err.split("\n")[0]];
    };
    expect(await said("--filter", "x")).toEqual([64, expect.stringContaining("is not PATH=VALUE")]);
    expect(await said("--limit", "0")).toEqual([64, expect.stringContaining("write one of 1 or more")]);
    expect(await said("--ack")).toEqual([64, expect.stringContaining("--ack needs --subscription")]);
    expect(await said("action.a", "--subscription", "s-1")).toEqual([
      64,
      expect.stringContaining("leave the topics out"),
    ]);
    expect(await said("action.a", "event.b")).toEqual([64, expect.stringContaining("have no beginning in common")]);
    expect(await said("nonsense")).toEqual([65, expect.stringMatching(/^MESSAGE_INVALID .*must be a topic/)]);
    expect(await said("--from", "nonsense")).toEqual([65, expect.stringMatching(/^CURSOR_INVALID /)]);
    const { cursor } = linesOf(
      (await node.capstan("tail", "--from", "start", "--limit", "1", "--json")).out,
    )[0] as Shown;
    const other = cursor.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await said("--from", other)).toEqual([1, expect.stringMatching(/^CURSOR_FOREIGN /)]);
    expect(await said("--from", cursor.replace(/^\d+/, "999"))).toEqual([1, expect.stringMatching(/^CURSOR_FUTURE /)]);
    expect(await said("--url", "127.0.0.1:9", "--token", "x")).toEqual([69, expect.stringMatching(/^UNREACHABLE /)]);
  });
});

test("a server that restarts is asked again from where it was: nothing is missed, and nothing is shown twice", async () => {
  const cwd = directory();
  writeFileSync(join(cwd, "greet.ts"), GREET);
  const first = await servedNode(cwd);
  await first.capstan("action", "register", "greet", "--module", "./greet.ts");
  const say = async (at: ServedNode, name: string): Promise<void> => {
    expect((await at.capstan("perform", "greet", `{"name":"${name}"}`)).code).toBe(0);
  };
  await say(first, "one");
  const going = first.start("tail", "--from", "start");
  await going.shows("name: one");
  await first.stop();
  await going.shows(/going on from \S+ once it is back/);
  const again = await servedNode(cwd, ["--listen", new URL(first.url).host]);
  await say(again, "two");
  await going.shows("name: two");
  await say(again, "three");
  await going.shows("name: three");
  const { code, out } = await going.stop();
  expect([code, out.match(/name: \w+/g)]).toEqual([0, ["name: one", "name: two", "name: three"]]);
  await again.stop();
});
