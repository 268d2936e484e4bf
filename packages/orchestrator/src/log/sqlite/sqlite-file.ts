// Opens a log's file: for one process at a time, of a known version, and either intact, or damaged and read-only. It owns the lock
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

/** SQLite's page cache: holds the upper levels of the `row` table's B-tree at a million rows. */
const CACHE_KIB = 32 * 1024;
/** How often a file is inspected, if another process wrote to it during the inspection. */
const MOST_LOOKS = 3;

export interface WholeFile {
  readonly kind: "whole";
  readonly db: Database;
  /** The number of this opening, durable. */
  readonly epoch: number;
  readonly head: number;
  readonly lastAt: number;
  readonly writeBack: WriteBack;
  /** Anomalies that are no damage. */
  readonly warnings: readonly string[];
  /** Every statement on it must be finalized. */
  close(): void;
}

/**
 * @param uninspected skips the check for damage, for tests that show what would be served without it
 * @throws FaultError `LOG_LOCKED`, `LOG_NEWER`, `LOG_DAMAGED` or `LOG_UNAVAILABLE`.
 */
export function openFile(path: string, uninspected = false): WholeFile | DamagedFile {
  if (isOpenHere(path)) throw locked(path);
  // SQLite would treat an empty file as a new one, and delete the WAL that still has its pages.
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
    // Only after SQLite has closed the file: see raw-file.ts.
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
      // Unchanged: nobody wrote to the file between the inspection and the lock.
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

/** Whether the log contradicts the checkpoint beside it, although its pages fit their sums. */
function isContradicted(db: Database, { checkpoint }: Inspection): boolean {
  return contradictionOf(db, checkpoint) !== undefined;
}

/** The operating system holds the lock until the process closes the file or dies. */
function openLocked(path: string): Database {
  const db = new Database(path, { create: true, readwrite: true });
  try {
    // Has no effect on an existing file.
    db.run(`PRAGMA page_size = ${PAGE_BYTES}`);
    db.run("PRAGMA busy_timeout = 0");
    db.run("PRAGMA locking_mode = EXCLUSIVE");
    // Otherwise two processes that open a new file at once could both get a shared lock, and wait for each other.
    db.run("BEGIN EXCLUSIVE");
    db.run("COMMIT");
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** Prepares an intact, locked file for writing. */
function begun(path: string, raw: RawFile, db: Database, inspection: Inspection | undefined): WholeFile {
  checkVersion(db, path);
  db.run("PRAGMA journal_mode = WAL");
  // FULL: a group is acknowledged only after its flush. NORMAL lost acknowledged rows at a power failure.
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
    // A read-only process may have left it; nobody else has the file open now.
    rmSync(`${path}-shm`, { force: true });
    writePid(path);
    const close = (): void => {
      // Before the lock is released: afterwards the pid file may be the next holder's.
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

/** On a full disk the log opens all the same, for its readers; the first append tries again. */
function relyIfRoom(writeBack: WriteBack): void {
  try {
    writeBack.rely();
  } catch {
    // The first append fails then, and reports it.
  }
}

/** Page sums only make openings faster: without them, for example on a full disk, the next opening checks the content. */
function trySums(path: string, raw: RawFile, pageSize: number): void {
  try {
    makeSums(path, raw.fd, pageSize);
  } catch {
    rmSync(sumsOf(path), { force: true });
  }
}

/** The last entry. Checks by the index that no group is missing: 10 ms for 100,000 groups. */
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

/** Creates a new log's file with mode 0600, in any directory; the WAL gets the same mode. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It exists, or cannot be created: opening it next reports which.
  }
}
