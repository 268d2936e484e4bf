// A log's file as a rehearsal reads it: the same history, from a file of which not a byte changes; or a refusal that says why.

import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultError } from "../fault/fault.ts";
import { MIGRATIONS, migrate } from "../log/sqlite/migrations.ts";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { refuse } from "../plugin/result.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, plugin, start } from "../testing/start.fixture.ts";
import { fileHistory } from "./file-history.ts";
import { rehearse } from "./rehearse.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "capstan-rehearsal-"));
  path = join(directory, "log.db");
});

afterEach(() => rmSync(directory, { recursive: true }));

const plugins = [admits(), notes()];
const refusing = [admits(), plugin("never", { decide: () => refuse("NEVER", "never") }), notes()];

/** A node writes so many notes; each is a group of its own, one of them is too long for its entry. */
async function written(count: number) {
  const log = sqliteLog(path);
  const node = await start(plugins, { log });
  for (let n = 0; n < count; n++) {
    await node.send("note.write", { name: `n${n}`, text: n === 1 ? "x".repeat(100_000) : "hi" });
  }
  return { log, node };
}

function files(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory).map((name) => [name, Bun.SHA256.hash(readFileSync(join(directory, name)), "hex")]),
  );
}

async function rehearsed(chosen = plugins) {
  const log = fileHistory(path);
  try {
    return await rehearse({ log, plugins: chosen });
  } finally {
    log.close();
  }
}

const codeOf = (open: () => unknown): string => {
  try {
    open();
  } catch (thrown) {
    if (thrown instanceof FaultError) return thrown.code;
    throw thrown;
  }
  return "opened";
};

test("the history of a node that stopped is what its log holds, and not a byte of its files changes", async () => {
  const { log, node } = await written(40);
  const running = await rehearse({ log, plugins });
  await node.orchestrator.stop();
  const before = files();
  expect(await rehearsed()).toEqual(running);
  expect(running).toMatchObject({ messages: 41, same: 40, state: { same: true, replayed: expect.any(String) } });
  expect((await rehearsed(refusing)).differ).toBe(40);
  expect(files()).toEqual(before);
});

test("of a node that was killed, what its write-ahead log holds is there as well", async () => {
  const { log, node } = await written(5);
  const running = await rehearse({ log, plugins });
  const copies = ["log.db", "log.db-wal"].map((name) => [name, `killed-${name}`] as const);
  for (const [name, copy] of copies) copyFileSync(join(directory, name), join(directory, copy));
  await node.orchestrator.stop();
  for (const name of readdirSync(directory)) if (!name.startsWith("killed-")) rmSync(join(directory, name));
  path = join(directory, "killed-log.db");
  const before = files();
  expect(await rehearsed()).toEqual(running);
  expect(files()).toEqual(before);
});

describe("refused is", () => {
  test("a log that a node has open", async () => {
    const { node } = await written(1);
    expect(codeOf(() => fileHistory(path))).toBe("LOG_LOCKED");
    await node.orchestrator.stop();
    fileHistory(path).close();
  });

  test("a damaged one, and it is left as it is", async () => {
    const { node } = await written(20);
    await node.orchestrator.stop();
    const bytes = readFileSync(path);
    const at = bytes.indexOf("note.write");
    expect(at).toBeGreaterThan(0);
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    const before = files();
    expect(codeOf(() => fileHistory(path))).toBe("LOG_DAMAGED");
    expect(files()).toEqual(before);
  });

  test("what is no log, is empty, or is not there", () => {
    expect(codeOf(() => fileHistory(path))).toBe("LOG_UNAVAILABLE");
    writeFileSync(path, "");
    expect(codeOf(() => fileHistory(path))).toBe("LOG_UNAVAILABLE");
    writeFileSync(path, "SQLite format 3? No.".repeat(100));
    expect(codeOf(() => fileHistory(path))).toBe("LOG_DAMAGED");
    expect(readdirSync(directory)).toEqual(["log.db"]);
  });

  test("one of an older version, which its node has to bring up first", () => {
    const db = new Database(path, { create: true });
    migrate(db, MIGRATIONS.slice(0, 1));
    db.close();
    expect(codeOf(() => fileHistory(path))).toBe("LOG_UNAVAILABLE");
    sqliteLog(path).close();
    fileHistory(path).close();
  });
});
