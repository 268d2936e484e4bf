// Opening a log's file: one process at a time, of a version that we know, and either whole or damaged and only read. It owns the lock
// and the order of the steps. While a log is open nothing else in this process may open and close its file:
// POSIX drops a process's locks on a file when it closes any descriptor of it (https://sqlite.org/howtocorrupt.html §2.2).

import { Database } from "bun:sqlite";
import { closeSync, openSync, rmSync } from "node:fs";
import { type DamagedFile, openDamaged } from "./damage/damaged-file.ts";
import { contradictionOf, headOf } from "./damage/file-content.ts";
import { type Inspection, inspectFile } from "./damage/file-inspection.ts";
import { damagedFile, locked, refusalOf, removePid, writePid } from "./file-faults.ts";
import { readMeta, writeMeta } from "./meta.ts";
import { checkVersion, migrate, pragma } from "./migrations.ts";
import { makeSums, sumsOf } from "./page-sums.ts";
import { isOpenHere, RawFile, stampOf } from "./raw-file.ts";
import { growWal, PAGE_BYTES, sizeOf, WAL_LIMIT_BYTES, walOf } from "./wal.ts";
import { WriteBack } from "./write-back.ts";

/** Kibibytes of pages that SQLite keeps: the upper levels of the `row` table's tree at a million rows. */
const CACHE_KIB = 32 * 1024;
/** How often a file is looked at again because somebody wrote to it meanwhile. */
const MOST_LOOKS = 3;

export interface WholeFile {
  readonly kind: "whole";
  readonly db: Database;
  /** Counted up durably by this opening. */
  readonly epoch: number;
  readonly head: number;
  readonly lastAt: number;
  readonly writeBack: WriteBack;
  /** What was odd and no damage. */
  readonly warnings: readonly string[];
  /** Every statement on it must be finalized. */
  close(): void;
}

/**
 * @param uninspected opens without looking for damage: for tests that show what would be served then
 * @throws FaultError `LOG_LOCKED`, `LOG_NEWER`, `LOG_DAMAGED` or `LOG_UNAVAILABLE`.
 */
export function openFile(path: string, uninspected = false): WholeFile | DamagedFile {
  if (isOpenHere(path)) throw locked(path);
  // SQLite would take an empty file for a new one, and delete the WAL that still holds its pages.
  if (sizeOf(path) === 0 && sizeOf(walOf(path)) > 0) {
    throw damagedFile(path, [`it is empty or gone, but its ${walOf(path)} is there`]);
  }
  let raw: RawFile | undefined;
  try {
    makePrivate(path);
    raw = new RawFile(path);
    const file = uninspected ? begun(path, raw, openLocked(path), undefined) : opened(path, raw);
    return closing(file, raw);
  } catch (thrown) {
    // After SQLite's own: see raw-file.ts.
    raw?.close();
    throw refusalOf(thrown, path);
  }
}

function closing<F extends WholeFile | DamagedFile>(file: F, raw: RawFile): F {
  return {
    ...file,
    close() {
      file.close();
      raw.close();
    },
  };
}

function opened(path: string, raw: RawFile): WholeFile | DamagedFile {
  let inspection = sizeOf(path) === 0 ? undefined : inspectFile(path, raw);
  for (let look = 1; look <= MOST_LOOKS; look++) {
    if (inspection !== undefined && inspection.damaged.length > 0) return openDamaged(path, raw, inspection);
    const db = openLocked(path);
    try {
      // Nobody else had it open between the look at it and the lock.
      const same = inspection === undefined ? sizeOf(path) === 0 : stampOf(path) === inspection.stamp;
      if (same && !(inspection?.sums && isContradicted(db, inspection))) return begun(path, raw, db, inspection);
      db.close(true);
      inspection = inspectFile(path, raw, same);
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  }
  throw locked(path);
}

/** Whether the file lacks what the checkpoint beside it has, though its pages are what they were. */
function isContradicted(db: Database, { checkpoint }: Inspection): boolean {
  return contradictionOf(db, checkpoint) !== undefined;
}

/** The lock is held until the process closes the file or dies, however it dies: it is the kernel's. */
function openLocked(path: string): Database {
  const db = new Database(path, { create: true, readwrite: true });
  try {
    // Says nothing to a file that exists already.
    db.run(`PRAGMA page_size = ${PAGE_BYTES}`);
    db.run("PRAGMA busy_timeout = 0");
    db.run("PRAGMA locking_mode = EXCLUSIVE");
    // Two that open a new file at once must not both come to share it and then each wait for the other.
    db.run("BEGIN EXCLUSIVE");
    db.run("COMMIT");
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** The file is whole, and ours to write. */
function begun(path: string, raw: RawFile, db: Database, inspection: Inspection | undefined): WholeFile {
  checkVersion(db, path);
  db.run("PRAGMA journal_mode = WAL");
  // FULL: a group is acknowledged only after its flush; NORMAL lost acknowledged rows when the power went.
  db.run("PRAGMA synchronous = FULL");
  db.run(`PRAGMA cache_size = -${CACHE_KIB}`);
  db.run(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`);
  const pageSize = pragma(db, "page_size");
  if (!inspection?.sums) trySums(path, raw, pageSize);
  const writeBack = new WriteBack(db, path, pageSize);
  try {
    relyIfRoom(writeBack);
    migrate(db);
    const last = lastOf(db, path);
    const epoch = nextEpoch(db);
    writeBack.committed();
    growWal(path, pageSize);
    // Left by somebody who only read; nobody else has the file open now.
    rmSync(`${path}-shm`, { force: true });
    writePid(path);
    const close = (): void => {
      // Before the lock goes: afterwards the file may be the next holder's.
      removePid(path);
      writeBack.close();
      db.close(true);
    };
    return { kind: "whole", db, epoch, ...last, writeBack, warnings: inspection?.warnings ?? [], close };
  } catch (thrown) {
    writeBack.close();
    throw thrown;
  }
}

/** On a disk without room the log opens all the same, for its readers; the first append tries again. */
function relyIfRoom(writeBack: WriteBack): void {
  try {
    writeBack.rely();
  } catch {
    // Whoever appends is told.
  }
}

/** They are for speed alone: without them, as on a full disk, the next opening checks the content. */
function trySums(path: string, raw: RawFile, pageSize: number): void {
  try {
    makeSums(path, raw.fd, pageSize);
  } catch {
    rmSync(sumsOf(path), { force: true });
  }
}

/** Where the log ends, once its groups are seen to be there without a gap: by the index alone, 10 ms for 100,000. */
function lastOf(db: Database, path: string): { readonly head: number; readonly lastAt: number } {
  using all = db.prepare<{ first: number | null; entries: number; end: number }, []>(
    "SELECT min(first) AS first, sum(n) AS entries, max(first + n) AS end FROM log INDEXED BY log_at",
  );
  using meta = db.prepare<{ value: number; sum: number }, [name: string]>("SELECT value, sum FROM meta WHERE name = ?");
  const last = headOf(db);
  const found = all.get();
  if (found === null || found.first === null) {
    if (last.head === 0) return last;
    throw damagedFile(path, ["the index of its entries is empty"]);
  }
  const first = readMeta<number>({ meta }, "first");
  if (found.first !== first || found.entries !== last.head - first + 1 || found.end !== last.head + 1) {
    throw damagedFile(path, [`entries are missing before its last, ${last.head}`]);
  }
  return last;
}

function nextEpoch(db: Database): number {
  using meta = db.prepare<{ value: number; sum: number }, [name: string]>("SELECT value, sum FROM meta WHERE name = ?");
  using putMeta = db.prepare<never, [name: string, value: string | number, sum: number]>(
    "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)",
  );
  const epoch = readMeta<number>({ meta }, "epoch") + 1;
  writeMeta({ putMeta }, "epoch", epoch);
  return epoch;
}

/** A new log is its owner's alone, whatever directory it lies in; the WAL takes its mode from it. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It is there, or cannot be made: whoever opens it next finds out which, and says so.
  }
}
