// A node whose history is rehearsed over the wire, in one process: what would differ, and that the node was only read.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Rehearsal } from "@capstan/orchestrator";
import { run } from "../index.ts";
import { type TestIo, testIo } from "../test-io.ts";

/** The standard plugins, and one that takes tea of any kind but what it does not like. */
const config = (disliked: string, version = "1") => `
import { authority, command, defineConfig, definePlugin, next, refuse } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { z } from "zod";
const tea = definePlugin({
  name: "tea",
  version: "${version}",
  needs: [authority],
  messages: { tea: { drink: command({
    summary: "Drink tea.", data: z.strictObject({ name: z.string() }), result: z.unknown(), target: ({ name }) => name,
  }) } },
  faults: { TEA_AWFUL: { status: 403, retryable: false, text: "Another tea." } },
  decide: ({ message }) =>
    message.resource === "tea" && message.data.name === "${disliked}"
      ? refuse("TEA_AWFUL", message.data.name + " is awful", { clause: "anything but ${disliked}" })
      : next(),
  start: async () => { if ("${version}" !== "1") throw new Error("started"); },
});
export default defineConfig({ listen: "127.0.0.1:0", data: "./data", logLevel: "silent", plugins: [...standard(), tea] });
`;

const home = testIo();
const asked = Promise.withResolvers<void>();
const listening = Promise.withResolvers<void>();
let served: Promise<number>;

function io(): TestIo {
  const one = testIo();
  rmSync(one.cwd, { recursive: true });
  return { ...one, cwd: home.cwd };
}

async function capstan(...argv: string[]) {
  const one = io();
  return { code: await run(argv, one), out: one.out(), err: one.err() };
}

async function rehearsed(...argv: string[]): Promise<{ code: number; err: string; report: Rehearsal }> {
  const { code, out, err } = await capstan("rehearse", ...argv, "--json");
  return { code, err, report: JSON.parse(out) as Rehearsal };
}

beforeAll(async () => {
  writeFileSync(join(home.cwd, "capstan.config.ts"), config("sage"));
  writeFileSync(join(home.cwd, "next.config.ts"), config("mint", "2"));
  const server = { ...io(), stopped: () => asked.promise };
  const { stdout } = server;
  served = run(["serve", "--memory", "--json"], {
    ...server,
    stdout: (text) => {
      stdout(text);
      listening.resolve();
    },
  });
  await Promise.race([
    listening.promise,
    served.then((code) => listening.reject(new Error(`ended with ${code}: ${server.err()}`))),
  ]);
  await capstan("grant", "create", "bob", "--allow", "tea.drink", "--out", "bob.token");
  for (const name of ["mint", "sage", "rose"]) {
    await capstan("--token-file", "bob.token", "apply", "tea", "drink", JSON.stringify({ name }));
  }
});

afterAll(async () => {
  asked.resolve();
  expect(await served).toBe(0);
  rmSync(home.cwd, { recursive: true });
});

test("another configuration: what it would decide otherwise, by which clause, and an exit code that says so", async () => {
  const { code, out, err } = await capstan("rehearse", "--config", "next.config.ts");
  expect([code, err]).toEqual([1, ""]);
  const lines = out.split("\n");
  const [note, mint, sage, sum, last] = lines;
  expect(note).toBe('note: "tea" has another version or configuration');
  expect(mint).toMatch(/^3 {2}m-\w{16} {2}tea\.drink {2}bob {2}done +→ TEA_AWFUL \(tea: anything but mint\)$/);
  expect(sage).toMatch(/^4 {2}m-\w{16} {2}tea\.drink {2}bob {2}TEA_AWFUL \(tea: anything but sage\) {2}→ done$/);
  expect(sum).toBe("5 messages (entries 1 to 5): 2 as before, 2 differ, 1 not compared");
  expect(last).toMatch(/^nothing was carried out; state sha256-[0-9a-f]{64} before and after$/);
  expect(lines).toHaveLength(6);
});

test("a changed grant, for the newest messages only", async () => {
  const all = await rehearsed("--grant", "g-2", "--allow", "tea.drink:rose", "--allow", "tea.drink:sage");
  expect([all.code, all.err]).toEqual([1, ""]);
  expect(all.report.differences).toMatchObject([{ entry: 3, now: { code: "REFUSED", plugin: "auth" } }]);
  const newest = await rehearsed("--grant", "g-2", "--allow", "tea.drink:rose", "--last", "2");
  expect(newest.report).toMatchObject({ messages: 2, same: 1, differ: 1, entries: { from: 4, to: 5 } });
  const both = await rehearsed("--config", "next.config.ts", "--grant", "g-2", "--expires", "2020-01-01");
  expect(both.report.differences.map(({ now }) => now.code)).toEqual(Array.from({ length: 3 }, () => "GRANT_EXPIRED"));
});

test("where nothing differs it ends with 0, and says which grant or clause changes nothing", async () => {
  expect(await rehearsed("--config", "capstan.config.ts")).toMatchObject({
    ...{ code: 0, err: "" },
    report: { messages: 5, same: 4, differ: 0, undecidable: 0, state: { same: true } },
  });
  const nobody = await rehearsed("--grant", "g-7", "--allow", "tea.drnk");
  expect([nobody.code, nobody.err.split("\n")]).toEqual([
    0,
    [
      '{"warning":"tea.drnk covers no message that there is; did you mean tea.drink?"}',
      '{"warning":"no message that was looked at asked for g-7, or a grant made under it"}',
      "",
    ],
  ]);
});

test("the node is only read: rehearsals leave no entry", async () => {
  const head = async () =>
    JSON.parse((await capstan("log", "head", "--json")).out) as { entries: number; root: string };
  const before = await head();
  await capstan("rehearse", "--config", "next.config.ts", "--grant", "g-2", "--revoke");
  expect(await head()).toEqual(before);
  expect(before.entries).toBe(5);
});

for (const [what, argv, code, said] of [
  ["nothing that is to change", [], 64, "say what is to change: --config FILE, --grant ID, or both"],
  ["a grant that is to change by nothing", ["--grant", "g-2"], 64, "--allow, --read, --write, --expires or --revoke"],
  ["a change of no grant", ["--config", "next.config.ts", "--revoke"], 64, "--revoke is of a grant; name it"],
  ["a clause that is none", ["--grant", "g-2", "--allow", "no clause"], 65, '"allow.0" must be a clause'],
  ["a grant that is none", ["--grant", "bob", "--revoke"], 65, "must be a grant's id, like g-2"],
  ["a number that is none", ["--grant", "g-2", "--revoke", "--last", "0"], 64, '--last "0" is no number of messages'],
  ["a time that is none", ["--grant", "g-2", "--expires", "soon"], 64, '--expires "soon" is no time'],
  ["a configuration that is not there", ["--config", "nowhere.ts"], 78, "there is no such file"],
  ["a log that is not there", ["--grant", "g-2", "--revoke", "--file", "nowhere.db"], 65, "nowhere.db cannot be read"],
] as const) {
  test(`${what} is refused`, async () => {
    const refused = await capstan("rehearse", ...argv);
    expect([refused.code, refused.out]).toEqual([code, ""]);
    expect(refused.err).toContain(said);
  });
}
