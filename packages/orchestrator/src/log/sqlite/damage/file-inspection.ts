// A log's file looked at before it is opened for writing: whether anything of it is damaged, found before anything is served.
// Where the pages' sums vouch for the file, nothing else of it is read; where they do not, all of its content is checked. It
// changes nothing.

import { type Database, SQLiteError } from "bun:sqlite";
import { fstatSync } from "node:fs";
import { type CheckpointFile, checkpointOf, readCheckpoint } from "../../checkpoint-file.ts";
import { checkVersion, MIGRATIONS, pragma } from "../migrations.ts";
import { compareSums, LOCK_BYTE } from "../page-sums.ts";
import { type RawFile, stampOf } from "../raw-file.ts";
import { openReadOnly } from "../read-only-file.ts";
import { scanWal, type WalScan } from "../wal-scan.ts";
import { examine } from "./examination.ts";
import { contradictionOf, signedByOwn } from "./file-content.ts";

export interface Inspection {
  readonly wal: WalScan;
  readonly checkpoint: CheckpointFile;
  /** Whether the pages' sums are there and fit. */
  readonly sums: boolean;
  /** What is damaged, one line each; empty where the file is whole. */
  readonly damaged: readonly string[];
  /** What is odd and no damage. */
  readonly warnings: readonly string[];
  /** The files as they were when they were looked at. */
  readonly stamp: string;
}

/**
 * @param thorough checks all of the content whatever the sums say
 * @throws FaultError LOG_NEWER, or LOG_DAMAGED where it is no log of ours
 * @throws SQLiteError where SQLite cannot open it at all, or another process has it open
 */
export function inspectFile(path: string, raw: RawFile, thorough = false): Inspection {
  const stamp = stampOf(path);
  const wal = scanWal(path);
  const found = readCheckpoint(path);
  const { damage = wal.damage, doubt } = compareSums(path, raw.fd, wal);
  const known = { wal, stamp, checkpoint: found, warnings: [] };
  if (damage !== undefined) return { ...known, sums: false, damaged: [damage] };
  if (doubt === undefined && found.kind !== "malformed" && !thorough) return { ...known, sums: true, damaged: [] };
  const file = openReadOnly(path, wal);
  try {
    const checked = check(file.db, path, raw, wal, found);
    return { ...known, ...checked, sums: doubt === undefined };
  } finally {
    file.close();
  }
}

/** What no sums vouch for. */
function check(db: Database, path: string, raw: RawFile, wal: WalScan, found: CheckpointFile) {
  checkVersion(db, path);
  const damaged = [...missingPages(db, raw, wal), ...examine(db).damaged];
  // A file of an older version has no tree yet.
  if (pragma(db, "user_version") < MIGRATIONS.length) return { damaged, warnings: [], checkpoint: found };
  const { checkpoint, warnings } = trusted(db, path, found);
  const contradicted = damaged.length > 0 ? undefined : contradictionOf(db, checkpoint);
  return { checkpoint, warnings, damaged: contradicted === undefined ? damaged : [contradicted] };
}

/** The checkpoint, unless it is the checkpoint that was altered: then it says nothing of the log. */
export function trusted(
  db: Database,
  path: string,
  found: CheckpointFile,
): { readonly checkpoint: CheckpointFile; readonly warnings: readonly string[] } {
  let why: string;
  if (found.kind === "none") return { checkpoint: found, warnings: [] };
  if (found.kind === "malformed") why = found.why;
  else if (holds(() => signedByOwn(db, found.note))) return { checkpoint: found, warnings: [] };
  else why = "no key that the log admits signed it";
  const warning = `${checkpointOf(path)} is damaged (${why}); the log beside it was checked without it, and is taken as it is`;
  return { checkpoint: { kind: "malformed", why }, warnings: [warning] };
}

function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch (thrown) {
    if (thrown instanceof SQLiteError) return true;
    throw thrown;
  }
}

/** SQLite itself refuses a file that is shorter than it says, but not if a WAL is left beside it. */
function missingPages(db: Database, raw: RawFile, wal: WalScan): string[] {
  const pageSize = pragma(db, "page_size");
  const count = pragma(db, "page_count");
  const inFile = Math.floor(fstatSync(raw.fd).size / pageSize);
  const lockPage = LOCK_BYTE / pageSize + 1;
  for (let page = inFile + 1; page <= count; page++) {
    if (page === lockPage || wal.pages.has(page)) continue;
    return [`the file is truncated: it has ${inFile} of ${count} pages`];
  }
  return [];
}
