import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FRAME_HEADER_BYTES, HEADER_BYTES, walOf } from "./wal.ts";
import { scanWal } from "./wal-scan.ts";

const PAGE = 4096;
const FRAME = FRAME_HEADER_BYTES + PAGE;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A database in WAL mode that stays open, and what was last written of it stays in its WAL. */
function database(): { readonly path: string; readonly db: Database } {
  const directory = mkdtempSync(join(tmpdir(), "capstan-wal-"));
  const path = join(directory, "log.db");
  const db = new Database(path);
  cleanups.push(() => {
    db.close();
    rmSync(directory, { recursive: true });
  });
  db.run(`PRAGMA page_size = ${PAGE}`);
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA wal_autocheckpoint = 0");
  db.run("CREATE TABLE t (a)");
  return { path, db };
}

/** One transaction of several frames. */
function write(db: Database, blobs = 3): void {
  db.run("BEGIN");
  for (let i = 0; i < blobs; i++) db.run("INSERT INTO t VALUES (randomblob(3000))");
  db.run("COMMIT");
}

/** The WAL as it is once a copy of the database was written to. */
function walAfter(path: string, change: (copy: Database) => void): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "capstan-wal-"));
  const copy = join(directory, "log.db");
  for (const of of [(one: string) => one, walOf]) copyFileSync(of(path), of(copy));
  const db = new Database(copy);
  cleanups.push(() => {
    db.close();
    rmSync(directory, { recursive: true });
  });
  db.run("PRAGMA wal_autocheckpoint = 0");
  change(db);
  return readFileSync(walOf(copy));
}

/** Where the commits are: frames up to each. */
function commits(path: string): number[] {
  const bytes = readFileSync(walOf(path));
  const found: number[] = [];
  for (let i = 0; HEADER_BYTES + (i + 1) * FRAME <= bytes.length; i++) {
    if (bytes.readUInt32BE(HEADER_BYTES + i * FRAME + 4) !== 0) found.push(i + 1);
  }
  return found;
}

/** Changes one byte of the WAL. */
function flip(path: string, at: number, mask = 0x01): void {
  const bytes = readFileSync(walOf(path));
  bytes[at] = (bytes[at] as number) ^ mask;
  writeFileSync(walOf(path), bytes);
}

const frameAt = (frame: number): number => HEADER_BYTES + (frame - 1) * FRAME;

describe("scanWal: a WAL that is whole", () => {
  test("that is not there, is empty, or was only given room, holds nothing", () => {
    const { path, db } = database();
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    expect(scanWal(path)).toMatchObject({ frames: 0, damage: undefined });
    writeFileSync(walOf(path), Buffer.alloc(3 * FRAME));
    expect(scanWal(path)).toMatchObject({ frames: 0, damage: undefined });
    rmSync(walOf(path));
    expect(scanWal(path)).toMatchObject({ frames: 0, damage: undefined });
  });

  test("has the newest committed version of each page, where it is", () => {
    const { path, db } = database();
    for (let i = 0; i < 5; i++) write(db);
    const { frames, pages, databasePages, damage } = scanWal(path);
    expect(damage).toBeUndefined();
    expect(frames).toBe(commits(path).at(-1) as number);
    expect(databasePages).toBe((db.query("PRAGMA page_count").get() as { page_count: number }).page_count);
    db.run("PRAGMA wal_checkpoint(PASSIVE)");
    const [main, wal] = [readFileSync(path), readFileSync(walOf(path))];
    expect(pages.size).toBe(databasePages);
    for (const [page, at] of pages) {
      expect(wal.subarray(at, at + PAGE).equals(main.subarray((page - 1) * PAGE, page * PAGE))).toBe(true);
    }
  });

  test("leaves out what was not committed", () => {
    const { path, db } = database();
    write(db);
    const before = scanWal(path).frames;
    db.run("PRAGMA cache_size = 1");
    db.run("BEGIN");
    for (let i = 0; i < 50; i++) db.run("INSERT INTO t VALUES (randomblob(3000))");
    expect(readFileSync(walOf(path)).length).toBeGreaterThan(frameAt(before + 20));
    expect(scanWal(path)).toMatchObject({ frames: before, damage: undefined });
    db.run("ROLLBACK");
  });

  test("is not disturbed by frames of before it was recycled", () => {
    const { path, db } = database();
    for (let i = 0; i < 5; i++) write(db);
    db.run("PRAGMA wal_checkpoint(RESTART)");
    write(db);
    const first = commits(path)[0] as number;
    expect(commits(path).length).toBeGreaterThan(2);
    expect(scanWal(path)).toMatchObject({ frames: first, damage: undefined });
  });
});

describe("scanWal: the tail that a crash tears", () => {
  test("is no damage: frames of the last transaction may be missing in any order", () => {
    const { path, db } = database();
    for (let i = 0; i < 4; i++) write(db);
    const [before, last] = commits(path).slice(-2) as [number, number];
    const bytes = readFileSync(walOf(path));
    for (let lost = before + 1; lost <= last; lost++) {
      const torn = Buffer.from(bytes);
      torn.fill(0, frameAt(lost), frameAt(lost + 1));
      writeFileSync(walOf(path), torn);
      expect(scanWal(path)).toMatchObject({ frames: before, damage: undefined });
    }
    writeFileSync(walOf(path), bytes);
    truncateSync(walOf(path), frameAt(last) + 100);
    expect(scanWal(path)).toMatchObject({ frames: before, damage: undefined });
  });

  test("nor is what failed commits left behind, one over the other", () => {
    const { path, db } = database();
    write(db);
    const [short, long, longer] = [2, 6, 9].map((blobs) => walAfter(path, (copy) => write(copy, blobs)));
    if (short === undefined || long === undefined || longer === undefined) throw new Error("three were made");
    expect([short.length, long.length].every((length, i) => length < [long, longer][i]!.length)).toBe(true);
    // As it lies there once the two longer ones failed at their flush, and the short one after them did not.
    const left = Buffer.concat([short, long.subarray(short.length), longer.subarray(long.length)]);
    writeFileSync(walOf(path), left);
    expect(commits(path).length).toBe(5);
    expect(scanWal(path)).toMatchObject({ frames: commits(path)[2], damage: undefined });
  });
});

describe("scanWal: damage", () => {
  test("any byte of any frame before the last transaction is found, and where it is", () => {
    const { path, db } = database();
    for (let i = 0; i < 6; i++) write(db);
    const all = commits(path);
    const whole = readFileSync(walOf(path));
    const last = all.at(-2) as number;
    for (let frame = 1; frame <= last; frame++) {
      // Page number, salts, checksums, and the page's first and last byte. The commit mark: below.
      for (const byte of [0, 3, 8, 15, 16, 23, 24, FRAME - 1]) {
        const bytes = Buffer.from(whole);
        bytes[frameAt(frame) + byte] = (bytes[frameAt(frame) + byte] as number) ^ 0x80;
        writeFileSync(walOf(path), bytes);
        const { damage, frames } = scanWal(path);
        expect([frame, byte, damage]).toEqual([frame, byte, expect.stringContaining(`frame ${frame} `)]);
        expect(frames).toBe(Math.max(0, ...all.filter((commit) => commit < frame)));
      }
    }
    writeFileSync(walOf(path), whole);
    expect(scanWal(path).damage).toBeUndefined();
  });

  test("a changed salt is found in the last transaction as well, because a crash changes no salt alone", () => {
    const { path, db } = database();
    write(db);
    write(db);
    flip(path, frameAt(commits(path).at(-1) as number) + 9);
    expect(scanWal(path).damage).toContain("is lost");
  });

  test("a changed header is found, byte by byte", () => {
    const { path, db } = database();
    write(db);
    for (let byte = 0; byte < HEADER_BYTES; byte++) {
      flip(path, byte);
      expect([byte, scanWal(path)]).toEqual([
        byte,
        expect.objectContaining({ frames: 0, damage: expect.stringContaining("header") }),
      ]);
      flip(path, byte);
    }
    expect(scanWal(path).damage).toBeUndefined();
  });
});
