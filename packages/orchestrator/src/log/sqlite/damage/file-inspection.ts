// Inspects a log's file for damage before it is opened for writing, and before anything is served.
// If the page sums prove the file intact, nothing else is read; otherwise its whole content is checked. It
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
  /** Whether the page sums are present and fit. */
  readonly sums: boolean;
  /** One line for each damaged part; empty where the file is intact. */
  readonly damaged: readonly string[];
  /** Anomalies that are no damage. */
  readonly warnings: readonly string[];
  /** The files' stamp at the time of the inspection (raw-file.ts). */
  readonly stamp: string;
}

/**
 * @param thorough checks the whole content even if the page sums fit
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

/** The check where page sums do not prove the file intact. */
function check(db: Database, path: string, raw: RawFile, wal: WalScan, found: CheckpointFile) {
  checkVersion(db, path);
  const damaged = [...missingPages(db, raw, wal), ...examine(db).damaged];
  // A file of an older version has no tree yet.
  if (pragma(db, "user_version") < MIGRATIONS.length) return { damaged, warnings: [], checkpoint: found };
  const { checkpoint, warnings } = trusted(db, path, found);
  const contradicted = damaged.length > 0 ? undefined : contradictionOf(db, checkpoint);
  return { checkpoint, warnings, damaged: contradicted === undefined ? damaged : [contradicted] };
}

/** The checkpoint, unless the checkpoint itself was altered: then it is ignored. */
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

/** SQLite refuses a file that is shorter than its header says, but not if a WAL is beside it. */
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
