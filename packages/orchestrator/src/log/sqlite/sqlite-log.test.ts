import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultOf } from "../../fault/fault.ts";
import { describeLog } from "../conformance/conformance.ts";
import { sampleMaker, T0 } from "../conformance/sample.ts";
import type { Log } from "../log.ts";
import { type SqliteLogOptions, sqliteLog } from "./sqlite-log.ts";
import { CHECKPOINT_BYTES, PAGE_BYTES } from "./wal.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "capstan-log-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return join(directory, "log.db");
}

function open(path: string, options?: SqliteLogOptions): Log {
  const log = sqliteLog(path, options);
  cleanups.push(() => log.close());
  return log;
}

/** The fault with which opening is refused. */
function refusal(path: string) {
  try {
    open(path);
  } catch (thrown) {
    return faultOf(thrown);
  }
  throw new Error(`${path} was opened`);
}

/** What is said of a damaged file that is only read. */
function damageOf(path: string): string {
  return open(path).damage?.damaged.join("; ") ?? "nothing";
}

/** A log of `groups` groups that was closed; gives its path. */
async function closedLog(groups = 100): Promise<string> {
  const path = newPath();
  const log = open(path);
  const sample = sampleMaker();
  for (let i = 0; i < groups; i++) await log.append(log.head, sample.group(3));
  await log.close();
  return path;
}

/** A process that has the log open; `lines` are what it says. */
function spawn(task: "hold" | "write", path: string) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "sqlite-log.fixture.ts"), task, path], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  cleanups.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  return { child, lines: linesOf(child.stdout) };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
}

describeLog("sqliteLog", async () => {
  const directory = mkdtempSync(join(tmpdir(), "capstan-log-"));
  const path = join(directory, "log.db");
  const log = sqliteLog(path);
  let current = log;
  return {
    log,
    reopen: async () => {
      await current.close();
      current = sqliteLog(path);
      return current;
    },
    dispose: async () => {
      await current.close();
      rmSync(directory, { recursive: true });
    },
  };
});

describe("sqliteLog: the lock", () => {
  test("a second process is turned away with the file and the holder's pid, and comes in once the holder is killed", async () => {
    const path = newPath();
    const { child, lines } = spawn("hold", path);
    expect((await lines.next()).value).toBe(`open ${child.pid}`);
    const refused = refusal(path);
    expect(refused.code).toBe("LOG_LOCKED");
    expect(refused.details).toEqual({ path, pid: child.pid });
    expect(refused.message).toContain(`the log ${path} is open in process ${child.pid}`);
    child.kill("SIGKILL");
    await child.exited;
    expect(open(path).epoch).toBe(2);
  });

  test("the same process is turned away too, and the holder goes on", async () => {
    const path = newPath();
    const log = open(path);
    expect(refusal(path).message).toContain(`this process (${process.pid})`);
    expect(await log.append(0, sampleMaker().group(2))).toEqual({ kind: "ok", head: 2 });
  });

  test("turning one away does not let go of the lock", async () => {
    const path = newPath();
    open(path);
    refusal(path);
    const { lines } = spawn("hold", path);
    expect((await lines.next()).value).toBe("refused LOG_LOCKED");
  });

  test("a closed log is one file, and open to the next", async () => {
    const path = await closedLog(3);
    for (const suffix of ["-wal", "-shm", ".pid"]) expect(existsSync(path + suffix)).toBe(false);
    expect(open(path).head).toBe(9);
  });
});

describe("sqliteLog: a writer that dies", () => {
  test("kill -9 loses nothing that was acknowledged, and leaves no half group", async () => {
    const path = newPath();
    const { child, lines } = spawn("write", path);
    let acknowledged = 0;
    for await (const line of lines) {
      if (line.startsWith("open")) continue;
      acknowledged = Number(line);
      // What it says between this and its death is read as well.
      if (acknowledged > 3000) child.kill("SIGKILL");
    }
    await child.exited;
    const log = open(path);
    expect(log.head).toBeGreaterThanOrEqual(acknowledged);
    const entries = await log.read(1, { limit: log.head });
    expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: log.head }, (_, i) => i + 1));
    // The writer is deterministic, so that its entries can be made again.
    const sample = sampleMaker();
    expect(entries.map((entry) => entry.text)).toEqual(entries.map(() => sample.entry({ body: "x".repeat(500) }).text));
    const rows = await log.rows("seq", { limit: log.head + 1 });
    expect(rows.map((row) => Number(row.key)).sort((a, b) => a - b)).toEqual(entries.map((entry) => entry.seq));
    expect(log.epoch).toBe(2);
  });
});

describe("sqliteLog: files that are refused", () => {
  test("one of a newer version, unchanged", async () => {
    const path = await closedLog(1);
    const db = new Database(path);
    db.run("PRAGMA user_version = 99");
    db.close(true);
    const refused = refusal(path);
    expect(refused.code).toBe("LOG_NEWER");
    expect(refused.message).toContain("version 99");
    expect(refused.details).toMatchObject({ path, version: 99 });
  });

  for (const [what, length] of [
    ["half of it", (size: number) => size / 2],
    ["its first page only", () => 4096],
    ["a hundred bytes", () => 100],
  ] as const) {
    test(`one that was truncated to ${what}`, async () => {
      const path = await closedLog();
      truncateSync(path, Math.floor(length(statSync(path).size)));
      const refused = refusal(path);
      expect(refused.code).toBe("LOG_DAMAGED");
      expect(refused.message).toContain(path);
    });
  }

  test("one that was truncated beside a WAL that a killed writer left", async () => {
    const path = newPath();
    const { child, lines } = spawn("write", path);
    for await (const line of lines) if (Number(line) > 6000) child.kill("SIGKILL");
    await child.exited;
    const copy = newPath();
    for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, copy + suffix);
    expect(open(copy).head).toBeGreaterThan(6000);
    // More was written than a checkpoint leaves in the WAL, so that pages of the middle are in the file only.
    truncateSync(path, 4 * PAGE_BYTES);
    const refused = refusal(path);
    expect(refused.code).toBe("LOG_DAMAGED");
    expect(refused.message).toMatch(/truncated: it has 4 of \d+ pages/);
  });

  test("an empty one whose WAL is still there, which is kept", async () => {
    const path = newPath();
    const { child, lines } = spawn("hold", path);
    await lines.next();
    child.kill("SIGKILL");
    await child.exited;
    truncateSync(path, 0);
    expect(refusal(path).code).toBe("LOG_DAMAGED");
    expect(existsSync(`${path}-wal`)).toBe(true);
  });

  test("one that is no database at all", () => {
    const path = newPath();
    writeFileSync(path, "not a database. ".repeat(1000));
    expect(refusal(path)).toMatchObject({
      code: "LOG_DAMAGED",
      message: `${path} is no log of Capstan's, or is damaged from its beginning on: file is not a database; name another file, or restore a backup (capstan restore BACKUP)`,
    });
  });

  test("another program's database, unchanged", () => {
    const path = newPath();
    const db = new Database(path);
    db.run("CREATE TABLE theirs (a)");
    db.close(true);
    const size = statSync(path).size;
    expect(refusal(path).message).toContain("no log of Capstan's");
    expect(statSync(path).size).toBe(size);
  });

  test("one in a directory that does not exist, with the path", () => {
    const path = join(newPath(), "no", "log.db");
    expect(refusal(path)).toMatchObject({ code: "LOG_UNAVAILABLE", message: expect.stringContaining(path) });
  });
});

describe("sqliteLog: files that are only read", () => {
  for (const [what, sql, said] of [
    ["lacks a group in the middle", "DELETE FROM log WHERE first = 31", "entries 31 to 33: they are gone"],
    ["lacks its beginning", "DELETE FROM log WHERE first < 31", "entries 1 to 30: they are gone"],
    [
      "holds fewer entries in its last group than it says",
      "UPDATE log SET body = x'0061' WHERE first = 298",
      "entries 298 to 300: the checksum does not fit",
    ],
  ] as const) {
    test(`one that ${what}`, async () => {
      const path = await closedLog();
      const db = new Database(path);
      db.run(sql);
      db.close(true);
      expect(damageOf(path)).toContain(said);
    });
  }

  test("one that was truncated within its last page", async () => {
    const path = await closedLog();
    truncateSync(path, statSync(path).size - 4096);
    expect(damageOf(path)).toMatch(/truncated: it has \d+ of \d+ pages/);
  });
});

test("the WAL has from the start the room that it is recycled in", async () => {
  const path = newPath();
  const log = open(path);
  const room = statSync(`${path}-wal`).size;
  expect(room).toBeGreaterThan(CHECKPOINT_BYTES);
  const sample = sampleMaker();
  // Several times the room, so that it was recycled.
  for (let i = 0; i < 300; i++) await log.append(log.head, [sample.entry({ body: "x".repeat(50_000) })]);
  expect(statSync(path).size).toBeGreaterThan(2 * room);
  expect(statSync(`${path}-wal`).size).toBe(room);
});

describe("sqliteLog: a commit that fails", () => {
  test("is undone whole, and the next one is taken", async () => {
    const path = newPath();
    let broken = false;
    const log = open(path, {
      beforeCommit: () => {
        if (broken) throw new Error("no space left");
      },
    });
    const sample = sampleMaker();
    await log.append(0, [sample.entry({ at: T0, rows: [{ table: "t", key: "a", json: "1" }] })]);
    broken = true;
    const lost = sample.entry({
      rows: [
        { table: "t", key: "a", json: "2" },
        { table: "t", key: "b", json: "2" },
      ],
    });
    expect(() => log.append(1, [lost])).toThrow("no space left");
    const state = async (one: Log) => [one.head, one.lastAt, await one.find(lost.id), await one.rows("t")];
    const before = [1, T0, undefined, [{ table: "t", key: "a", json: "1" }]];
    expect(await state(log)).toEqual(before);
    expect((await log.read(1)).length).toBe(1);
    await log.probe();
    await log.close();
    const again = open(path);
    expect(await state(again)).toEqual(before);
    expect(await again.append(1, [lost])).toEqual({ kind: "ok", head: 2 });
  });

  test("wakes no tail, and does not end one", async () => {
    let broken = true;
    const log = open(newPath(), {
      beforeCommit: () => {
        if (broken) throw new Error("no space left");
      },
    });
    const sample = sampleMaker();
    const next = log.tail(1, new AbortController().signal)[Symbol.asyncIterator]().next();
    expect(() => log.append(0, sample.group(1))).toThrow("no space left");
    broken = false;
    const taken = sample.group(1);
    await log.append(0, taken);
    expect((await next).value).toEqual({ seq: 1, text: taken[0]?.text });
  });
});
