// A neighbour's word on a log, on the command line: receipts that it cosigned, what it holds of the log, and the entry that is another since.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { peerNode } from "../peer-nodes.fixture.ts";
import { capstanIn, type ServedNode } from "../served-node.fixture.ts";

let berlin: ServedNode;
let osaka: ServedNode;
const FILES = ["log.db", "log.db-wal", "log.db-sums", "log.db.checkpoint"];

function carried(from: ServedNode, name: string, to: ServedNode, as = name): void {
  copyFileSync(join(from.cwd, name), join(to.cwd, as));
  chmodSync(join(to.cwd, as), 0o600);
}

function copied(cwd: string, from: string, to: string): void {
  mkdirSync(join(cwd, to), { recursive: true });
  for (const file of FILES) {
    rmSync(join(cwd, to, file), { force: true });
    if (existsSync(join(cwd, from, file))) copyFileSync(join(cwd, from, file), join(cwd, to, file));
  }
}

/** Asks until it is so. The limit is for a test that fails. */
async function until(asked: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 30_000;
  while (!(await asked())) {
    if (performance.now() > limit) throw new Error(`it did not become so: ${String(asked)}`);
    await Bun.sleep(10); // a command asks: there is nothing to await, and what is asked for needs the processor
  }
}

const witnessed = async (node: ServedNode, name: string) =>
  JSON.parse((await node.capstan("witness", "show", name, "--json")).out) as {
    state: string;
    entry?: number;
    size: number;
  };

beforeAll(async () => {
  berlin = await peerNode("berlin");
  await berlin.stop();
  copied(berlin.cwd, ".capstan", "before");
  berlin = await peerNode("berlin", [], berlin.cwd);
  for (const name of ["bob", "eve", "joe"])
    await berlin.capstan("grant", "create", name, "--allow", "log.head", "--out", `${name}.token`);
  osaka = await peerNode("osaka");
  await osaka.capstan("peer", "invite", "berlin", "--out", "berlin.invite");
  carried(osaka, "berlin.invite", berlin);
  expect((await berlin.capstan("peer", "add", "osaka", "--invite", "berlin.invite")).code).toBe(0);
  await until(async () => (await witnessed(osaka, "berlin")).state === "cosigned");
  await until(async () => (await berlin.capstan("log", "receipt", "2", "--witnesses", "1")).code === 0);
  carried(osaka, ".capstan/node.pub", berlin, "osaka.pub");
});
afterAll(() => Promise.all([berlin, osaka].map((node) => node[Symbol.asyncDispose]())));

test("a receipt is cosigned where that is asked for, and verified under the witness's key", async () => {
  expect((await berlin.capstan("log", "receipt", "2", "--witnesses", "1", "--out", "receipt.json")).code).toBe(0);
  const verify = (...words: string[]) =>
    berlin.capstan("receipt", "verify", "receipt.json", "--key", ".capstan/node.pub", ...words);
  const { code, out } = await verify("--witness-key", "osaka.pub");
  expect([code, out]).toEqual([0, expect.stringMatching(/\n {2}witness {2}20\S+Z, capstan\/n-\w+ \([0-9a-f]{8}\)\n$/)]);
  expect(JSON.parse((await verify("--witness-key", "osaka.pub", "--json")).out).witnesses).toHaveLength(1);
  const other = await verify("--witness-key", "osaka.pub", "--witness-key", ".capstan/node.pub");
  expect([other.code, other.err]).toEqual([65, expect.stringContaining("has not cosigned the checkpoint")]);
  const none = await berlin.capstan("log", "receipt", "2", "--witnesses", "2");
  expect([none.code, none.err]).toEqual([
    75,
    expect.stringMatching(/^WITNESS_PENDING {2}entry 2 is covered by no checkpoint/),
  ]);
});

test("what a neighbour holds is listed, shown, and written for whoever verifies", async () => {
  expect((await osaka.capstan("witness", "list")).out).toMatch(/^berlin {2}n-\w+ {2}cosigned {2}\d+ cosigned 20\S+Z/);
  expect((await osaka.capstan("witness", "show", "berlin")).out).toMatch(/\ncosigned +\d+ entries, 20\S+Z\n/);
  const written = await osaka.capstan("witness", "show", "berlin", "--out", "berlin.checkpoint");
  expect([written.code, written.out]).toEqual([0, "berlin → berlin.checkpoint\n"]);
  const again = await osaka.capstan("witness", "show", "berlin", "--out", "berlin.checkpoint");
  expect([again.code, again.err]).toEqual([73, expect.stringContaining("nothing was overwritten")]);
  for (const file of ["berlin.checkpoint", "berlin.leaves"])
    carried(osaka, file, berlin, file.replace("berlin", "seen"));
});

test("a log is held against it: brought as a file, or asked of the peer", async () => {
  // No file, though something there is called so.
  mkdirSync(join(berlin.cwd, "osaka"));
  for (const argv of [
    ["--witness", "seen.checkpoint"],
    ["--witness", "osaka"],
  ]) {
    const { code, out } = await berlin.capstan("log", "verify", ...argv, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out).checkpoints[0]).toMatchObject({ where: "of the witness", valid: true });
  }
  const away = await berlin.capstan("log", "verify", "--witness", "lima");
  expect(away.err).toMatch(/^PEER_UNKNOWN .*; nor is there a file of that name\n$/);
  const none = await berlin.capstan("log", "verify", ".capstan/log.db", "--witness", "none.checkpoint");
  expect([none.code, none.err]).toEqual([65, expect.stringContaining("none.checkpoint")]);
});

test("one that was put back is not what the witness saw: the entry is named, and the neighbour has an alarm", async () => {
  await berlin.stop();
  copied(berlin.cwd, "before", ".capstan");
  const verify = () => capstanIn(berlin.cwd, ["log", "verify", ".capstan/log.db", "--witness", "seen.checkpoint"]);
  const gone = await verify();
  expect([gone.code, gone.out]).toEqual([
    76,
    expect.stringMatching(/\nentries 2 to \d+: gone: the checkpoint is of \d+ entries\n/),
  ]);

  berlin = await peerNode("berlin", [], berlin.cwd);
  for (let i = 0; i < 12; i++)
    await berlin.capstan("grant", "create", `other${i}`, "--allow", "log.head", "--out", `${i}.token`);
  const online = await berlin.capstan("log", "verify", "--witness", "seen.checkpoint");
  expect([online.code, online.out]).toEqual([
    76,
    expect.stringContaining("\nentry 2: another than the one that the witness was shown\n"),
  ]);
  const text = readFileSync(join(berlin.cwd, "seen.checkpoint"), "utf8");
  expect(text.match(/^— /gm)).toHaveLength(2);

  const again = await berlin.capstan("peer", "add", "osaka", "--invite", "berlin.invite", "--wait", "0");
  expect(again.code).toBe(0);
  await until(async () => (await witnessed(osaka, "berlin")).state === "forked");
  expect((await osaka.capstan("witness", "list")).out).toMatch(/^berlin {2}n-\w+ {2}forked at entry 2 /);
  const { out } = await osaka.capstan("witness", "show", "berlin");
  expect(out).toMatch(/\nentry +2: the first that is another than it was, or is gone\n/);
  // The session is as it was.
  expect((await osaka.capstan("peer", "list")).out).toMatch(/^berlin +n-\w+ +established/);
  const accepted = await osaka.capstan("witness", "accept", "berlin");
  expect([accepted.code, accepted.out]).toEqual([0, "begun anew with berlin\n"]);
  await until(async () => (await witnessed(osaka, "berlin")).state === "cosigned");
});
