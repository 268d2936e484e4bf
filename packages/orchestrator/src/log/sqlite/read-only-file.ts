// Opens a log's file without changing a byte of it or of its WAL, for reading a damaged log and for
// verification. Otherwise SQLite would write the WAL back at closing, and drop all frames after a damaged one.

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
 * Opens the log as of the WAL's last complete commit.
 * @param wal the scan of the WAL, or `undefined` to leave the WAL aside and read the main file alone
 * @throws SQLiteError SQLITE_BUSY where another process has the log open
 */
export function openReadOnly(path: string, wal: WalScan | undefined): ReadOnlyFile {
  // SQLite reads an immutable file without a lock, and without looking for a WAL.
  if (wal === undefined || wal.frames === 0) return opened(path, "immutable=1", () => {});
  const index = `${path}-shm`;
  const there = existsSync(index);
  // SQLite creates an index of the WAL, and a read-only connection does not remove it.
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
    // No code in the schema is run, in case somebody has put it there.
    db.run("PRAGMA trusted_schema = OFF");
    db.run("PRAGMA cell_size_check = ON");
    // Holds a read lock and one snapshot of the file until it is closed.
    db.run("BEGIN");
    db.run("SELECT count(*) FROM sqlite_schema");
    return { db, close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}
