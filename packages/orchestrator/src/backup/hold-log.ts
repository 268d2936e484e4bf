// Keeps every node away from a log's file while it is replaced. It reads none of it, and changes nothing but that the
// write-ahead log is folded in where SQLite can.

import { Database, SQLiteError } from "bun:sqlite";
import { existsSync, rmSync } from "node:fs";
import { holderOf, locked } from "../log/sqlite/file-faults.ts";
import { walOf } from "../log/sqlite/wal.ts";
import { isAlive } from "./temporary.ts";

export interface HeldLog {
  /** Its write-ahead log is folded in and gone; not so where the file is too damaged for SQLite. */
  readonly folded: boolean;
  release(): void;
}

const NOTHING: HeldLog = { folded: false, release() {} };

/** @throws FaultError LOG_LOCKED where a node has it open */
export function holdLog(path: string): HeldLog {
  if (!existsSync(path)) {
    // A running node keeps a file that was removed under it, and its lock with that.
    if (runningPid(path) !== undefined) throw locked(path);
    return NOTHING;
  }
  let db: Database | undefined;
  try {
    db = new Database(path, { readwrite: true, create: false });
    run(db, "PRAGMA busy_timeout = 0");
    run(db, "PRAGMA locking_mode = EXCLUSIVE");
    // The lock comes before the first page is read: a damaged file that is in use says BUSY, and no other reason.
    run(db, "BEGIN EXCLUSIVE");
    run(db, "COMMIT");
    // Out of WAL mode the closing touches no file by name: the name may be another log's by then.
    run(db, "PRAGMA journal_mode = DELETE");
    const held = db;
    return { folded: true, release: () => held.close() };
  } catch (thrown) {
    db?.close();
    refuseLocked(path, thrown);
    return NOTHING;
  }
}

/** Whether a node has it open. Folds nothing in. @throws FaultError LOG_LOCKED */
export function checkNotHeld(path: string): void {
  if (existsSync(path)) shareLog(path)();
  else holdLog(path).release();
}

/**
 * Keeps nodes away while the file is read, which is left as it is. Answers what ends that. A file that SQLite cannot open needs
 * no lock: no node can open it either. Closing any other descriptor of the file ends it too (log/sqlite/raw-file.ts).
 * @throws FaultError LOG_LOCKED
 */
export function shareLog(path: string): () => void {
  // SQLite makes these where they are not there, and leaves them when it has only read.
  const made = [walOf(path), `${path}-shm`].filter((one) => !existsSync(one));
  let db: Database | undefined;
  try {
    db = new Database(path, { readonly: true });
    run(db, "PRAGMA busy_timeout = 0");
    run(db, "BEGIN");
    run(db, "SELECT count(*) FROM sqlite_schema");
  } catch (thrown) {
    db?.close();
    refuseLocked(path, thrown);
    return () => {};
  }
  // While the lock is held, these are nobody else's.
  for (const one of made) rmSync(one, { force: true });
  const held = db;
  return () => held.close();
}

/** @throws FaultError LOG_LOCKED, or what is not SQLite's; whatever else SQLite says is of a damaged file */
function refuseLocked(path: string, thrown: unknown): void {
  if (!(thrown instanceof SQLiteError)) throw thrown;
  if (!thrown.code?.startsWith("SQLITE_BUSY")) return;
  throw locked(path);
}

// A statement that is kept would hold the file open after its closing.
function run(db: Database, sql: string): void {
  using statement = db.prepare(sql);
  statement.all();
}

/** Of the process that said that it has the file open, where it lives. */
function runningPid(path: string): number | undefined {
  const pid = holderOf(path);
  return pid !== undefined && isAlive(pid) ? pid : undefined;
}
