// What becomes of a log that is damaged: found when it is opened, read where it is whole, written to by nobody, and not a byte of it
// changed.

import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultOf } from "../../../fault/fault.ts";
import { checkpointOf } from "../../checkpoint-file.ts";
import { sampleMaker } from "../../conformance/sample.ts";
import { encodeRows, partDigest } from "../../entry.ts";
import type { Log, NewEntry, RowChange } from "../../log.ts";
import { sumsOf } from "../page-sums.ts";
import { sqliteLog } from "../sqlite-log.ts";
import { walOf } from "../wal.ts";

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "capstan-damaged-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return join(directory, "log.db");
}

function open(path: string): Log {
  const log = sqliteLog(path);
  cleanups.push(() => log.close());
  return log;
}

function opened(path: string): Log | { readonly code: string; readonly message: string } {
  try {
    return open(path);
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** Entries of a form that a rows part can be read out of again. */
function entryMaker() {
  const sample = sampleMaker();
  return (rows: readonly RowChange[]): NewEntry => {
    const plain = sample.entry({ rows });
    const line = `r${"s".repeat(22)}${encodeRows(rows)}`;
    const header = JSON.stringify({ id: plain.id, at: plain.at, r: partDigest(line) });
    return { ...plain, text: `${header}\n${line}` };
  };
}

const put = (key: number, json: string): RowChange => ({ table: "t", key: `k${key}`, json });

/** A log of 100 groups of 3 entries, each with rows, that was closed. */
async function closedLog(): Promise<string> {
  const path = newPath();
  const log = sqliteLog(path);
  await fill(log);
  await log.close();
  return path;
}

async function fill(log: Log, groups = 100): Promise<void> {
  const entry = entryMaker();
  for (let i = 0; i < groups; i++) {
    const gone = { table: "t", key: `k${i - 20}`, json: undefined };
    await log.append(log.head, [entry([put(i, `${i}`)]), entry([put(i, `"${"x".repeat(100)}"`)]), entry([gone])]);
  }
}

function change(path: string, sql: string): void {
  const db = new Database(path);
  db.run(sql);
  db.close(true);
}

/** Digests of the file and its WAL. SQLite makes an empty WAL for the lock. */
const bytesOf = (path: string): string[] =>
  [path, walOf(path)].map((one) => Bun.SHA256.hash(existsSync(one) ? readFileSync(one) : "", "hex"));

/** Everything that somebody could read of the log. */
async function contentOf(log: Log): Promise<unknown> {
  return [await log.read(1, { limit: 1000 }), await log.rows("t", { limit: 1000 })];
}

describe("a log with damaged entries", () => {
  test("is read where it is whole, says what is not, and gives out nothing that is damaged", async () => {
    const path = await closedLog();
    const truth = open(path);
    const rows = await truth.rows("t");
    const entries = await truth.read(1, { limit: 1000 });
    await truth.close();
    change(path, "UPDATE log SET body = CAST(replace(body, '\"at\"', '\"ta\"') AS BLOB) WHERE first = 31");
    const log = open(path);
    expect(log.damage).toEqual({
      damaged: ["entries 31 to 33: the checksum does not fit"],
      whole: "entries 1 to 30, 34 to 300, and all tables",
    });
    expect([log.head, log.first]).toEqual([300, 1]);
    expect(await log.read(1, { limit: 30 })).toEqual(entries.slice(0, 30));
    expect(await log.read(34, { limit: 1000 })).toEqual(entries.slice(33));
    expect(() => log.read(1)).toThrow("entries 31 to 33");
    expect(() => log.read(32, { limit: 1 })).toThrow("entries 31 to 33");
    expect(await log.rows("t")).toEqual(rows);
    expect(await log.row("t", "k90")).toBe(rows.find(({ key }) => key === "k90")?.json);
    const idOf = (i: number): string => JSON.parse((entries[i]?.text ?? "").split("\n")[0] ?? "").id;
    expect([await log.find(idOf(0)), await log.find(idOf(299))]).toEqual([1, 300]);
    // It may be the one that is asked for, and it may not.
    expect(() => log.find(idOf(31))).toThrow("may be one of those that are damaged");
  });

  test("takes nothing, and its file stays as it is to the byte", async () => {
    const path = await closedLog();
    change(path, "UPDATE log SET at = at + 1 WHERE first = 31");
    const before = bytesOf(path);
    const log = open(path);
    for (const write of [() => log.append(300, []), () => log.probe(), () => log.trim(10, [])]) {
      expect(write).toThrow("capstan log salvage");
      expect(write).toThrow("capstan restore");
    }
    await log.close();
    expect(bytesOf(path)).toEqual(before);
    // And again the next time.
    expect(open(path).damage?.damaged).toEqual(log.damage?.damaged as string[]);
  });

  test("is locked while it is read", async () => {
    const path = await closedLog();
    change(path, "DELETE FROM log WHERE first = 31");
    const log = open(path);
    expect(opened(path)).toMatchObject({ code: "LOG_LOCKED" });
    await log.close();
    expect(opened(path)).toMatchObject({ damage: { damaged: ["entries 31 to 33: they are gone"] } });
  });
});

describe("a log with damaged rows", () => {
  for (const [what, sql] of [
    ["changed", `UPDATE row SET json = '{"all":true}' WHERE key = 'k90'`],
    ["gone", "DELETE FROM row WHERE key = 'k90'"],
    ["made up", "INSERT INTO row SELECT tbl, 'k1', json, sum FROM row WHERE key = 'k90'"],
  ] as const) {
    test(`of which one is ${what}: the tables are made again from the entries`, async () => {
      const path = await closedLog();
      const truth = open(path);
      const content = await contentOf(truth);
      await truth.close();
      change(path, sql);
      const log = open(path);
      expect(log.damage?.whole).toBe("entries 1 to 300, and all tables, which were made again from the entries");
      expect(await contentOf(log)).toEqual(content);
    });
  }

  test("and damaged entries is refused, with the way back", async () => {
    const path = await closedLog();
    change(path, "DELETE FROM row WHERE key = 'k90'");
    change(path, "DELETE FROM log WHERE first = 31");
    const refused = opened(path);
    expect(refused).toMatchObject({ code: "LOG_DAMAGED" });
    expect((refused as { message: string }).message).toContain(`capstan log salvage ${path} --out NEW`);
  });
});

describe("a log whose WAL is damaged", () => {
  /** What a kill leaves: the file and its WAL, as they are while the log is open. */
  async function killed(): Promise<string> {
    const path = newPath();
    const log = open(path);
    // Less than is written back: pages of the middle are in the WAL alone.
    await fill(log, 60);
    const copy = newPath();
    for (const one of [(path: string) => path, walOf, sumsOf]) copyFileSync(one(path), one(copy));
    return copy;
  }

  function flipWal(path: string, at: number): void {
    const bytes = readFileSync(walOf(path));
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(walOf(path), bytes);
  }

  test("is whole as a kill leaves it", async () => {
    const log = open(await killed());
    expect([log.damage, log.head]).toEqual([undefined, 180]);
  });

  test("is read as of before the damage, and says that what follows is lost", async () => {
    const path = await killed();
    flipWal(path, 1_500_000);
    const before = bytesOf(path);
    const log = open(path);
    expect(log.damage?.damaged[0]).toContain("the write-ahead log: frame ");
    expect(log.head).toBeGreaterThan(0);
    expect(log.head).toBeLessThan(180);
    expect((await log.read(1, { limit: 1000 })).length).toBe(log.head);
    await log.close();
    expect(bytesOf(path)).toEqual(before);
  });

  test("that SQLite alone would drop without a word", async () => {
    const path = await killed();
    flipWal(path, 1_500_000);
    const db = new Database(path);
    const { head } = db.query("SELECT max(first + n - 1) AS head FROM log").get() as { head: number };
    expect(head).toBeLessThan(180);
    expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  });
});

describe("a log that was opened by others in between", () => {
  test("is whole after stock SQLite changed its pages and nothing that they hold", async () => {
    const path = await closedLog();
    change(path, "VACUUM");
    const log = open(path);
    expect([log.damage, log.head]).toEqual([undefined, 300]);
    await log.probe();
    await log.close();
    expect(open(path).damage).toBeUndefined();
  });

  test("is whole without its pages' sums, and has them again", async () => {
    const path = await closedLog();
    rmSync(sumsOf(path));
    await open(path).close();
    expect(existsSync(sumsOf(path))).toBe(true);
  });
});

describe("files that cannot be read", () => {
  // What a mode or a read-only file system would do, in a way that holds for the administrator too.
  for (const [what, spoil] of [
    ["the main file", (path: string) => [rmSync(path), mkdirSync(path)]],
    ["the WAL", (path: string) => mkdirSync(walOf(path))],
    ["the checkpoint", (path: string) => mkdirSync(checkpointOf(path))],
  ] as const) {
    test(`are no damage: ${what}`, async () => {
      const path = await closedLog();
      spoil(path);
      expect(opened(path)).toMatchObject({ code: "LOG_UNAVAILABLE", message: expect.stringContaining(path) });
    });
  }

  test("a checkpoint that is none is no damage either: the log is checked without it, and somebody is told", async () => {
    const path = await closedLog();
    writeFileSync(checkpointOf(path), "capstan/l-1\n300\n");
    const warnings: string[] = [];
    const log = sqliteLog(path, { warn: (text) => warnings.push(text) });
    expect([log.damage, log.head]).toEqual([undefined, 300]);
    expect(warnings).toEqual([expect.stringContaining(`${checkpointOf(path)} is damaged`)]);
    await log.close();
  });
});
