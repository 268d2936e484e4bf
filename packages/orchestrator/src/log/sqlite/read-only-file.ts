// A log's file opened so that not a byte of it changes, nor of its WAL: for a damaged log that is still read, and for
// verification. SQLite would otherwise write the WAL back at closing, and what it took for the WAL's end would be gone.

import { constants, Database } from "bun:sqlite";
import { existsSync, rmSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { WalScan } from "./wal-scan.ts";

export interface ReadOnlyFile {
  readonly db: Database;
  /** Every statement must be finalized. */
  close(): void;
}

/**
 * As of the last whole commit of the WAL.
 * @param wal what there is in the WAL, or `undefined` to leave the WAL aside and read the main file alone
 * @throws SQLiteError SQLITE_BUSY where another process has the log open
 */
export function openReadOnly(path: string, wal: WalScan | undefined): ReadOnlyFile {
  // What is immutable to SQLite it reads without a lock, and without looking for a WAL.
  if (wal === undefined || wal.frames === 0) return opened(path, "immutable=1", () => {});
  const index = `${path}-shm`;
  const there = existsSync(index);
  // SQLite makes an index of the WAL beside it, and a connection that only reads leaves it there.
  return opened(path, "mode=ro", () => {
    if (!there) rmSync(index, { force: true });
  });
}

function opened(path: string, query: string, after: () => void): ReadOnlyFile {
  const db = new Database(
    `${pathToFileURL(path)}?${query}`,
    constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
  );
  const close = (): void => {
    db.close(true);
    after();
  };
  try {
    db.run("PRAGMA busy_timeout = 0");
    // Nothing that the schema says is run, should somebody have put it there.
    db.run("PRAGMA trusted_schema = OFF");
    db.run("PRAGMA cell_size_check = ON");
    // The lock, for as long as it is open, and one state of the file.
    db.run("BEGIN");
    db.run("SELECT count(*) FROM sqlite_schema");
    return { db, close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}
