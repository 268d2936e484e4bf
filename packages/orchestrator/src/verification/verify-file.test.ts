// A log verified by its file alone: what is valid and what is not, in whose words, and not a byte of it changed.

import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultOf } from "../fault/fault.ts";
import { parseNote } from "../log/checkpoint-file.ts";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { createOrchestrator } from "../orchestrator.ts";
import { LeafWindow } from "../proof/leaf-window.ts";
import { openNode } from "../server/node-key.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits } from "../testing/start.fixture.ts";
import { verificationText } from "./verification.ts";
import { type VerifyOptions, verifyLogFile } from "./verify-file.ts";
import type { WitnessedLog } from "./witnessed-log.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  readonly path: string;
  readonly directory: string;
  send(name: string, data?: object): Promise<unknown>;
  /** A checkpoint of what is there now, as somebody would keep it. */
  checkpoint(): Promise<string>;
  stop(): Promise<void>;
}

async function run(directory = newDirectory()): Promise<Running> {
  const node = await openNode({ directory });
  const path = join(directory, "log.db");
  const orchestrator = await createOrchestrator({
    plugins: [admits(), notes()] as never,
    log: sqliteLog(path),
    node,
    signer: node.signer,
  });
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  const stop = (): Promise<void> => orchestrator.stop({ graceMs: 0 });
  cleanups.push(stop);
  return {
    ...{ path, directory, stop },
    checkpoint: () => orchestrator.notary.checkpoint(),
    send(name, data = {}) {
      const [resource = "", action = ""] = name.split(".");
      return scope.applyAction({ resource, action, data });
    },
  };
}

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "capstan-verify-"));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function write(node: Running, count: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) await node.send("note.write", { name: `n-${i}`, text: `text ${i}` });
}

/** A log that was stopped: its start's entry, and `count` notes. */
async function stopped(count = 10): Promise<Running> {
  const node = await run();
  await write(node, count);
  await node.stop();
  return node;
}

const keyOf = ({ directory }: Running): string => readFileSync(join(directory, "node.pub"), "utf8").trim();

function change(path: string, sql: string): void {
  const db = new Database(path);
  db.run(sql);
  db.close(true);
}

/** What is said, a line each. */
async function said(path: string, options?: VerifyOptions): Promise<string[]> {
  return verificationText(await verifyLogFile(path, options))
    .trim()
    .split("\n");
}

async function codeOf(verifying: Promise<unknown>): Promise<string> {
  return verifying.then(
    (value) => `verified: ${JSON.stringify(value)}`,
    (thrown) => faultOf(thrown).code,
  );
}

describe("a log that is whole", () => {
  test("is valid by the key that is given, in one line", async () => {
    const node = await stopped(11);
    const key = keyOf(node);
    const name = /^capstan\/(n-[0-9a-f]{8})/.exec(key)?.[1];
    expect(await said(node.path, { keys: [key] })).toEqual([`12 entries, 12 leaves, checkpoint of ${name}: valid`]);
  });

  test("is valid by the keys that it names itself, and says whose word that is", async () => {
    const { path } = await stopped();
    const [head, note] = await said(path);
    expect(head).toMatch(/: valid$/);
    expect(note).toBe("signed by a key that the log itself names; give --key to be sure");
  });

  test("is not valid by another's key, nor without any checkpoint", async () => {
    const node = await stopped();
    const other = await stopped(1);
    expect((await verifyLogFile(node.path, { keys: [keyOf(other)] })).valid).toBe(false);
    rmSync(`${node.path}.checkpoint`);
    expect(await said(node.path)).toEqual(["11 entries, 11 leaves, no checkpoint: nothing is proved"]);
  });

  test("is read without changing a byte or leaving a file, its WAL included", async () => {
    const node = await run();
    await write(node, 5);
    await node.checkpoint();
    const copies = newDirectory();
    for (const name of ["log.db", "log.db-wal", "log.db-sums"])
      copyFileSync(join(node.directory, name), join(copies, name));
    writeFileSync(join(copies, "log.db.checkpoint"), await node.checkpoint());
    const state = () =>
      readdirSync(copies).map((name) => [name, Bun.SHA256.hash(readFileSync(join(copies, name)), "hex")]);
    const before = state();
    expect((await verifyLogFile(join(copies, "log.db"), { keys: [keyOf(node)] })).entries).toBe(6);
    expect(state()).toEqual(before);
  });

  test("counts what comes after a checkpoint that was kept, and holds it against the newer one as well", async () => {
    const node = await run();
    await write(node, 5);
    const kept = await node.checkpoint();
    await write(node, 3, 5);
    await node.stop();
    const both = await verifyLogFile(node.path, { checkpoint: kept, keys: [keyOf(node)] });
    expect([both.valid, both.unproved, both.checkpoints.map(({ size }) => size)]).toEqual([true, 0, [6, 9]]);
    rmSync(`${node.path}.checkpoint`);
    const one = await said(node.path, { checkpoint: kept, keys: [keyOf(node)] });
    expect(one.at(-1)).toBe("3 entries are after the checkpoint and proved by nothing yet");
  });
});

describe("what an operator did to a log", () => {
  test("a redaction leaves it valid, and a part that is gone without one does not", async () => {
    const node = await run();
    await write(node, 5);
    await node.send("log.redact", { entry: 3, parts: ["body"], reason: "a name" });
    await node.stop();
    const options = { keys: [keyOf(node)] };
    expect(await verifyLogFile(node.path, options)).toMatchObject({ valid: true, erased: 1 });
  });

  test("a compaction leaves it valid, and what is kept is still held against the checkpoint of before", async () => {
    const node = await run();
    await write(node, 600);
    const kept = await node.checkpoint();
    const compacted = (await node.send("log.compact", { before: 300 })) as { first: number };
    await node.stop();
    expect(compacted.first).toBeGreaterThan(200);
    const options = { keys: [keyOf(node)], checkpoint: kept };
    expect(await verifyLogFile(node.path, options)).toMatchObject({ valid: true, first: compacted.first, found: 0 });
    change(node.path, `UPDATE meta SET value = ${compacted.first + 1} WHERE name = 'first'`);
    expect((await verifyLogFile(node.path, options)).valid).toBe(false);
  });

  test("a key that followed another is trusted by whoever trusts the first", async () => {
    const node = await run();
    const first = keyOf(node);
    await write(node, 3);
    const kept = await node.checkpoint();
    await node.send("key.rotate");
    await write(node, 3, 3);
    await node.stop();
    expect(keyOf(node)).not.toBe(first);
    expect(await verifyLogFile(node.path, { keys: [first], checkpoint: kept })).toMatchObject({
      valid: true,
      found: 0,
    });
    // The new key signed nothing of before it.
    expect((await verifyLogFile(node.path, { keys: [keyOf(node)], checkpoint: kept })).valid).toBe(false);
  });
});

describe("a log that is not what was logged", () => {
  for (const [what, sql, where] of [
    ["a group is gone", "DELETE FROM log WHERE first = 4", "entry 4: they are gone"],
    [
      "a row is another",
      "UPDATE row SET json = '\"mine\"' WHERE key = 'n-3'",
      'the row note "n-3": it is not what the entries wrote',
    ],
    ["a row is gone", "DELETE FROM row WHERE key = 'n-3'", "the table note: a row that the entries wrote is gone"],
    ["a table was added", "CREATE TABLE mine (a)", "the table mine of mine: it is none of a log's"],
    [
      "a value is another",
      "UPDATE meta SET value = 7 WHERE name = 'probe'",
      'the value "probe": the checksum does not fit',
    ],
  ] as const) {
    test(`is found where ${what}`, async () => {
      const { path } = await stopped();
      change(path, sql);
      const lines = await said(path);
      expect(lines[0]).toMatch(/NOT VALID|valid, but not all else/);
      expect(lines).toContain(where);
    });
  }

  test("is found where its end was lost with nothing else amiss", async () => {
    const node = await stopped(5);
    const early = newDirectory();
    copyFileSync(node.path, join(early, "log.db"));
    const again = await run(node.directory);
    await write(again, 4, 5);
    await again.stop();
    copyFileSync(`${node.path}.checkpoint`, join(early, "log.db.checkpoint"));
    expect(await said(join(early, "log.db"))).toContain("entries 7 to 10: gone: the checkpoint is of 10 entries");
  });

  test("is found where it is the log of another node", async () => {
    const node = await stopped();
    const other = await stopped(12);
    const kept = readFileSync(`${other.path}.checkpoint`, "utf8");
    const lines = await said(node.path, { checkpoint: kept, keys: [keyOf(node), keyOf(other)] });
    expect(lines.some((line) => line.includes("and the checkpoint is of another"))).toBe(true);
  });

  test("a checkpoint with one character changed is said to be none, wherever it is", async () => {
    const node = await stopped(2);
    const note = readFileSync(`${node.path}.checkpoint`, "utf8");
    for (let at = 0; at < note.length; at += 7) {
      const other = note[at] === "A" ? "B" : "A";
      writeFileSync(`${node.path}.checkpoint`, note.slice(0, at) + other + note.slice(at + 1));
      const { valid } = await verifyLogFile(node.path, { keys: [keyOf(node)] });
      expect([at, valid]).toEqual([at, false]);
    }
  });
});

describe("what cannot be verified", () => {
  test("a log in use says to ask the server, and goes on", async () => {
    const node = await run();
    const verifying = verifyLogFile(node.path);
    expect(await codeOf(verifying)).toBe("LOG_LOCKED");
    await expect(verifying).rejects.toThrow("ask the server");
    await write(node, 1);
  });

  test("no file, another program's, and a key that is none", async () => {
    const directory = newDirectory();
    const path = join(directory, "other.db");
    expect(await codeOf(verifyLogFile(path))).toBe("LOG_UNAVAILABLE");
    expect(existsSync(path)).toBe(false);
    change(path, "CREATE TABLE theirs (a)");
    expect(await codeOf(verifyLogFile(path))).toBe("LOG_DAMAGED");
    writeFileSync(path, "no database ".repeat(500));
    expect(await codeOf(verifyLogFile(path))).toBe("LOG_DAMAGED");
    const { path: log } = await stopped(1);
    expect(await codeOf(verifyLogFile(log, { keys: ["mine"] }))).toBe("VERIFIER_KEY_INVALID");
  });
});

describe("what a witness holds of it", () => {
  async function held(path: string, node: Running, note: string): Promise<WitnessedLog> {
    const log = sqliteLog(path);
    const size = parseNote(note);
    if (size.kind !== "checkpoint") throw new Error("no checkpoint");
    const leaves = LeafWindow.empty.grown(await log.tree.leaves(0, size.checkpoint.size));
    log.close();
    expect(node.path).toBe(path);
    return { checkpoint: note, leaves };
  }

  test("is found in the log that it is of", async () => {
    const node = await run();
    await write(node, 10);
    const note = await node.checkpoint();
    await write(node, 5, 10);
    await node.stop();
    const witness = await held(node.path, node, note);
    const result = await verifyLogFile(node.path, { witness });
    expect(result.valid).toBe(true);
    expect(result.checkpoints[0]).toMatchObject({ where: "of the witness", valid: true, size: 11 });
  });

  test("names the entry that is another since, and the first that is gone", async () => {
    const directory = newDirectory();
    const copy = join(newDirectory(), "log.db");
    const before = await run(directory);
    await write(before, 10);
    await before.stop();
    copyFileSync(before.path, copy);
    const seen = await run(directory);
    await write(seen, 10, 10);
    const note = await seen.checkpoint();
    await seen.stop();
    const witness = await held(seen.path, seen, note);
    const key = readFileSync(join(directory, "node.pub"), "utf8").trim();
    for (const one of readdirSync(directory)) if (one.startsWith("log.db")) rmSync(join(directory, one));

    copyFileSync(copy, seen.path);
    const gone = await verifyLogFile(seen.path, { witness, keys: [key] });
    const [verdict] = gone.checkpoints;
    expect(verdict).toMatchObject({ where: "of the witness", valid: false, entry: gone.leaves + 1 });
    expect(verificationText(gone)).toContain(`entries ${gone.leaves + 1} to 21: gone: the checkpoint is of 21 entries`);

    const again = await run(directory);
    await write(again, 30, 50);
    await again.stop();
    const forked = await verifyLogFile(again.path, { witness, keys: [key] });
    expect(forked.checkpoints[0]).toMatchObject({ valid: false, entry: 12 });
    expect(verificationText(forked)).toContain("entry 12: another than the one that the witness was shown");
    // Without the leaves the range is all that can be said.
    const without = await verifyLogFile(again.path, { witness: { ...witness, leaves: undefined }, keys: [key] });
    expect(verificationText(without)).toContain("entries 1 to 21: not those that the checkpoint is of");
    // Leaves that are not those of the checkpoint name nothing, and say so.
    const other = LeafWindow.empty.grown(new Uint8Array(21 * 32).fill(7));
    const odd = await verifyLogFile(again.path, { witness: { ...witness, leaves: other }, keys: [key] });
    expect(odd.checkpoints[0]?.entry).toBeUndefined();
    expect(verificationText(odd)).toContain("the leaves of the witness are not those of its checkpoint");
  });
});
