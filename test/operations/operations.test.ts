// What an operator does with a node that is in use: clients perform all the while, and afterwards the log is verified from its
// file alone, and held against all that the clients were told.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  StoppedLog,
  verifyCheckpoint,
  verifyContinuation,
  verifyLogFile,
} from "@capstan/orchestrator";
import { entryOf, lost, outcomesIn, verified } from "./evidence.ts";
import { Load } from "./load.ts";
import { OperatedNode } from "./operated-node.ts";

// Each starts several processes, on machines that do other things too.
setDefaultTimeout(60_000);

const SOME = 150;

let node: OperatedNode;
afterEach(() => node[Symbol.asyncDispose]());

const inNode = (name: string): string => join(node.data, name);

/** Ends the load and the node; the log has everything that anybody was told, and is what was logged. */
async function concluded(load: Load) {
  await load.end();
  expect(await node.stop()).toBe(0);
  expect(load.violations).toEqual([]);
  const outcomes = outcomesIn(inNode("log.db"));
  expect(lost(load.acknowledged, outcomes)).toEqual([]);
  return { outcomes, log: await verified(inNode("log.db")) };
}

test("backed up under load: the backup has all that was acknowledged before it", async () => {
  node = await OperatedNode.start();
  const load = await Load.start(node);
  await load.more(SOME);
  const before = [...load.acknowledged];
  const { out, err } = await node.ran("backup", "a.backup");
  const during = load.acknowledged.length - before.length;
  await load.more(SOME);
  expect(out).toMatch(/^backup of \d[\d,]* entries, root \S{12}…, verified → a\.backup\n$/);
  expect(err).toContain("no key is in it");
  expect([statSync(node.path("a.backup")).mode & 0o777, during > 0]).toEqual([0o600, true]);
  await concluded(load);
  const backup = await verified(node.path("a.backup"), [publicKey()]);
  expect(backup.checkpoints).toMatchObject([{ where: "in the file", valid: true, size: backup.leaves }]);
  expect(lost(before, outcomesIn(node.path("a.backup")))).toEqual([]);
});

test("redacted under load: the part is in no file any more, and every proof holds", async () => {
  node = await OperatedNode.start();
  const load = await Load.start(node);
  await load.more(SOME);
  await node.ran("perform", "echo", '{"secret":"Rosebud"}');
  const { items } = JSON.parse(
    (await node.ran("log", "list", "--message", "action.perform", "--principal", "admin", "--json")).out,
  );
  const { entry } = items[0];
  const asked = ["--parts", "body,trace", "--reason", "asked for"];
  const { out } = await node.ran("log", "redact", String(entry), ...asked);
  expect(out).toMatch(new RegExp(`^erased the body and the trace of entry ${entry}, by entry \\d+\n$`));
  await load.more(SOME);
  const { log } = await concluded(load);
  expect(log.erased).toBe(2);
  for (const name of readdirSync(node.data).filter((one) => one.startsWith("log.db"))) {
    expect(readFileSync(inNode(name), "latin1")).not.toContain("Rosebud");
  }
});

test("compacted under load: what is gone is what nobody needs, and the tree keeps its leaves", async () => {
  node = await OperatedNode.start();
  // Without keys: a key keeps its entry for a day.
  await performMany(600);
  const load = await Load.start(node);
  await load.more(SOME);
  const kept = JSON.parse((await node.ran("log", "checkpoint", "--json")).out) as { checkpoint: string; size: number };
  const compacted = JSON.parse((await node.ran("log", "compact", "--json")).out);
  expect(compacted).toMatchObject({ stoppedBy: { why: expect.stringContaining("key") } });
  await load.more(SOME);
  // A backup of what is left is one of the whole tree.
  const { out } = await node.ran("backup", "a.backup");
  expect(out).toContain(`, kept from ${compacted.first} on, `);
  const { log } = await concluded(load);
  expect(compacted.first).toBeGreaterThan(256);
  expect(log).toMatchObject({ first: compacted.first, entries: log.leaves - compacted.first + 1 });
  const older = await verifyLogFile(inNode("log.db"), { checkpoint: kept.checkpoint });
  expect(older.checkpoints[0]).toMatchObject({ where: "given", valid: true, size: kept.size });
  expect(await verified(node.path("a.backup"))).toMatchObject({ first: compacted.first });
});

test("rotated under load: the key before leads to the new one, and signs nothing more", async () => {
  node = await OperatedNode.start();
  const load = await Load.start(node);
  const keys = [publicKey()];
  for (let rotation = 1; rotation <= 2; rotation++) {
    await load.more(SOME);
    const { out } = await node.ran("key", "rotate");
    keys.push(out.split("\n")[1] as string);
  }
  await load.more(SOME);
  await concluded(load);
  expect([new Set(keys).size, publicKey()]).toEqual([3, keys[2] as string]);
  for (const key of keys) await verified(inNode("log.db"), [key]);
  const note = readFileSync(inNode("log.db.checkpoint"), "utf8");
  for (const [i, key] of keys.entries()) {
    const signed = verifyCheckpoint(note, [parseVerifierKey(key)]).then(
      () => true,
      ({ code }) => code === "SIGNATURE_INVALID" && false,
    );
    expect([i, await signed]).toEqual([i, i === 2]);
  }
});

test("recovered under load: another credential, the one before is good for nothing, and nobody else notices", async () => {
  node = await OperatedNode.start();
  const load = await Load.start(node);
  await load.more(SOME);
  const before = node.token();
  const { out } = await node.ran("admin", "recover");
  expect(out).toBe("admin, grant g-1 → ./.capstan/admin.token (0600)\n");
  expect(statSync(inNode("admin.token")).mode & 0o777).toBe(0o600);
  expect(node.token()).not.toBe(before);
  expect((await node.capstan("--token", before, "log", "head")).err).toStartWith("CREDENTIAL_INVALID");
  await node.ran("log", "head");
  await load.more(SOME);
  await concluded(load);
});

test("restored under load: what came after the backup is gone, and said to be, and a witness sees a restore", async () => {
  node = await OperatedNode.start();
  const load = await Load.start(node);
  await load.more(SOME);
  const { entries } = JSON.parse((await node.ran("backup", "a.backup", "--json")).out) as { entries: number };
  await load.more(SOME);
  const older = await checkpoint();
  expect((await node.capstan("restore", "a.backup", "--replace")).err).toStartWith("LOG_LOCKED");
  expect(await node.stop()).toBe(0);

  const { out, err } = await node.ran("restore", "a.backup", "--replace");
  const aside = readdirSync(node.data).find((name) => /^log\.db\.replaced-\w+-\w+-\w+$/.test(name)) as string;
  const { size: head } = headOf(aside);
  expect(out).toStartWith(`restored ${told(entries)} entries, root `);
  const lostEntries = `${told(head - entries)} entries after the backup are not in it: ${told(entries + 1)} to ${told(head)}`;
  expect(err).toContain(`${lostEntries}, kept in ./.capstan/${aside}\n`);

  await node.serve();
  await load.more(SOME);
  const newer = await checkpoint();
  const asked = ["--from", String(entries), "--to", String(newer.size), "--json"];
  const { proof } = JSON.parse((await node.ran("log", "proof", ...asked)).out) as { proof: string[] };
  const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
  expect(verifyContinuation(older, newer, hashes)).toMatchObject({ kind: "restored", kept: entries });
  expect(older.size).toBeGreaterThan(entries);
  await load.end();
  expect([await node.stop(), load.violations]).toEqual([0, []]);

  // What was told before the backup is there, what was told between it and the stop is not, what was told since is.
  const before = outcomesIn(inNode(aside));
  const now = outcomesIn(inNode("log.db"));
  const after = load.acknowledged.filter((one) => (entryOf(one, before) ?? 0) > entries);
  expect(after.length).toBeGreaterThanOrEqual(SOME);
  expect(lost(load.acknowledged, now)).toEqual(after.map(({ key }) => key));
  await verified(inNode("log.db"), [publicKey()]);
});

for (const withKey of [true, false]) {
  test(`restored ${withKey ? "with" : "without"} its key, where the disk is lost: the log goes on`, async () => {
    node = await OperatedNode.start();
    const load = await Load.start(node);
    await load.more(SOME);
    await load.end();
    await node.ran("backup", "a.backup");
    expect(await node.stop()).toBe(0);
    const { size: before } = headOf("log.db");
    const key = publicKey();
    renameSync(node.data, node.path("lost"));
    mkdirSync(node.data, { mode: 0o700 });
    if (withKey) copyFileSync(node.path("lost/node.key"), inNode("node.key"));

    await node.ran("restore", "a.backup", ...(withKey ? [] : ["--new-key", "--key", "lost/node.pub"]));
    if (withKey) await node.ran("admin", "recover");
    await node.serve();
    if (!withKey) await node.ran("admin", "recover");
    await node.ran("perform", "echo", "1");
    expect(await node.stop()).toBe(0);
    expect(lost(load.acknowledged, outcomesIn(inNode("log.db")))).toEqual([]);
    expect(headOf("log.db").size).toBeGreaterThan(before);
    expect(publicKey() === key).toBe(withKey);
    await verified(inNode("log.db"), [publicKey()]);
  });
}

const publicKey = (): string => readFileSync(inNode("node.pub"), "utf8").trim();

async function checkpoint() {
  const { checkpoint } = JSON.parse((await node.ran("log", "checkpoint", "--json")).out) as { checkpoint: string };
  return parseCheckpoint(openNote(checkpoint).text);
}

function headOf(name: string): { readonly size: number } {
  using log = new StoppedLog(inNode(name));
  return { size: log.head };
}

/** Under no key. */
async function performMany(count: number): Promise<void> {
  const { scope, close } = node.connect(node.token());
  const message = { resource: "action", action: "perform", data: { name: "echo", input: {} } };
  for (let done = 0; done < count; done += 100) {
    await Promise.all(Array.from({ length: 100 }, () => scope.applyAction(message)));
  }
  close();
}

const told = (count: number): string => count.toLocaleString("en-US");
