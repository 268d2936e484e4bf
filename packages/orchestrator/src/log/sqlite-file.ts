// Opening a log's file: one process at a time, of a version that we know, whole. It owns the lock, the pid beside it and
// every reason for which a file is refused. While a log is open nothing else in this process may open and close its file:
// POSIX drops a process's locks on a file when it closes any descriptor of it (https://sqlite.org/howtocorrupt.html §2.2).

import { Database, SQLiteError } from "bun:sqlite";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { FaultError, fault } from "../fault/fault.ts";
import type { KernelFaultCode } from "../fault/kernel-faults.ts";
import { decodeGroup } from "./group.ts";
import { checkVersion, migrate, pragma } from "./migrations.ts";
import { checkpointPages, growWal, PAGE_BYTES, pagesInWal, sizeOf, WAL_LIMIT_BYTES, walOf } from "./wal.ts";

/** Kibibytes of pages that SQLite keeps: the upper levels of the `row` table's tree at a million rows. */
const CACHE_KIB = 32 * 1024;
/** SQLite never uses the page at this offset (https://sqlite.org/fileformat2.html#the_lock_byte_page). */
const LOCK_BYTE = 2 ** 30;

export interface OpenFile {
  readonly db: Database;
  /** Counted up durably by this opening. */
  readonly epoch: number;
  readonly head: number;
  readonly lastAt: number;
}

/** @throws FaultError `LOG_LOCKED`, `LOG_NEWER`, `LOG_DAMAGED` or `LOG_UNAVAILABLE`. */
export function openFile(path: string): OpenFile {
  // SQLite would take an empty file for a new one, and delete the WAL that still holds its pages.
  if (sizeOf(path) === 0 && sizeOf(walOf(path)) > 0) {
    throw refusal(
      "LOG_DAMAGED",
      path,
      `the log ${path} is empty or gone, but its ${walOf(path)} is there; restore both from a backup`,
    );
  }
  let db: Database | undefined;
  try {
    makePrivate(path);
    db = new Database(path, { create: true, readwrite: true });
    // Says nothing to a file that exists already.
    db.run(`PRAGMA page_size = ${PAGE_BYTES}`);
    lock(db);
    checkWhole(db, path);
    checkVersion(db, path);
    db.run("PRAGMA journal_mode = WAL");
    // FULL: a group is acknowledged only after its flush; NORMAL lost acknowledged rows when the power went.
    db.run("PRAGMA synchronous = FULL");
    db.run(`PRAGMA cache_size = -${CACHE_KIB}`);
    db.run(`PRAGMA wal_autocheckpoint = ${checkpointPages(pragma(db, "page_size"))}`);
    db.run(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`);
    migrate(db);
    const last = lastOf(db, path);
    const epoch = nextEpoch(db);
    growWal(path, pragma(db, "page_size"));
    writePid(path);
    return { db, epoch, ...last };
  } catch (thrown) {
    db?.close();
    throw thrown instanceof SQLiteError ? refusalOf(thrown, path) : thrown;
  }
}

/** Gives the file back; every statement on it must be finalized. */
export function closeFile(db: Database, path: string): void {
  // Before the lock goes: afterwards the file may be the next holder's.
  rmSync(pidOf(path), { force: true });
  db.close(true);
}

/** Takes the lock until the process closes the file or dies, however it dies: the lock is the kernel's. */
function lock(db: Database): void {
  db.run("PRAGMA busy_timeout = 0");
  db.run("PRAGMA locking_mode = EXCLUSIVE");
  // Two that open a new file at once must not both come to share it and then each wait for the other.
  db.run("BEGIN EXCLUSIVE");
  db.run("COMMIT");
}

/** SQLite itself refuses a file that is shorter than it says, but not if a WAL is left beside it. */
function checkWhole(db: Database, path: string): void {
  const pageSize = pragma(db, "page_size");
  const count = pragma(db, "page_count");
  const inFile = Math.floor(sizeOf(path) / pageSize);
  if (inFile >= count) return;
  // After a crash the youngest pages are in the WAL only.
  const inWal = pagesInWal(path, pageSize);
  const lockPage = LOCK_BYTE / pageSize + 1;
  for (let page = inFile + 1; page <= count; page++) {
    if (page === lockPage || inWal.has(page)) continue;
    throw refusal(
      "LOG_DAMAGED",
      path,
      `the log ${path} is truncated: it has ${inFile} of ${count} pages; restore it from a backup`,
    );
  }
}

/** Where the log ends, once its groups are seen to be there without a gap: by the index alone, 10 ms for 100,000. */
function lastOf(db: Database, path: string): { readonly head: number; readonly lastAt: number } {
  using all = db.prepare<{ groups: number; first: number; entries: number; end: number }, []>(
    "SELECT count(*) AS groups, min(first) AS first, sum(n) AS entries, max(first + n) AS end FROM log INDEXED BY log_at",
  );
  using latest = db.prepare<{ first: number; n: number; at: number; body: Uint8Array }, []>(
    "SELECT first, n, at, body FROM log ORDER BY first DESC LIMIT 1",
  );
  const found = all.get();
  const last = latest.get();
  if ((found === null || found.groups === 0) && last === null) return { head: 0, lastAt: 0 };
  const head = (found?.end ?? 0) - 1;
  if (found?.first !== 1 || found.entries !== head || last === null || last.first + last.n - 1 !== head) {
    const message = `the log ${path} is damaged: entries are missing before its last, ${head}; restore it from a backup`;
    throw refusal("LOG_DAMAGED", path, message);
  }
  decodeGroup(last.first, last.n, last.body);
  return { head, lastAt: last.at };
}

function nextEpoch(db: Database): number {
  using statement = db.prepare<{ epoch: number }, []>(
    "UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value AS epoch",
  );
  return (statement.get() as { epoch: number }).epoch;
}

function refusalOf(error: SQLiteError, path: string): FaultError {
  const code = error.code ?? "";
  if (code.startsWith("SQLITE_BUSY")) return locked(path);
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB" || code === "SQLITE_IOERR_SHORT_READ") {
    return refusal("LOG_DAMAGED", path, `the log ${path} is damaged (${error.message}); restore it from a backup`);
  }
  return refusal(
    "LOG_UNAVAILABLE",
    path,
    `the log ${path} cannot be opened (${error.message}); check that its directory exists and can be written`,
  );
}

function locked(path: string): FaultError {
  const pid = holderOf(path);
  const holder =
    pid === undefined ? "another process" : pid === process.pid ? `this process (${pid})` : `process ${pid}`;
  return new FaultError(
    fault("LOG_LOCKED", `the log ${path} is open in ${holder}; stop it first, or use another data directory`, {
      path,
      ...(pid === undefined ? {} : { pid }),
    }),
  );
}

function writePid(path: string): void {
  try {
    writeFileSync(pidOf(path), `${process.pid}\n`);
  } catch {
    // The lock holds without it; only the refusal of the next process then names no holder.
    rmSync(pidOf(path), { force: true });
  }
}

function pidOf(path: string): string {
  return `${path}.pid`;
}

/** The pid beside the file; `undefined` where there is none, as when the holder is no Capstan. */
function holderOf(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidOf(path), "utf8"), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function refusal(code: KernelFaultCode, path: string, message: string): FaultError {
  return new FaultError(fault(code, message, { path }));
}

/** A new log is its owner's alone, whatever directory it lies in; the WAL takes its mode from it. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It is there, or cannot be made: SQLite finds out which, and says so.
  }
}
