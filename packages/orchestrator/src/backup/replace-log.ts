// Replaces a log by a prepared one, so that at every moment, and after a crash at any, one of the two is complete in place. The old files keep all
// their bytes under other names.

import { constants, copyFileSync, existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { checkpointOf } from "../log/checkpoint-file.ts";
import { type HeldLog, holdLog } from "./hold-log.ts";
import { syncDirectory } from "./sync.ts";

/** Files beside `log.db` that belong to it and to no other. */
const COMPANIONS = ["-wal", "-shm", "-journal"];
/** Its page checksums: useless for another log, and made again where missing. */
const SUMS = "-sums";
const CHECKPOINT = ".checkpoint";

/** Whether anything of a log is at the path. */
export function logIsThere(log: string): boolean {
  return ["", CHECKPOINT, SUMS, ...COMPANIONS].some((suffix) => existsSync(log + suffix));
}

export interface Replacement {
  /** The log to be replaced: `<data>/log.db`. */
  readonly log: string;
  /** The prepared log, closed and flushed, in the same directory; and the checkpoint that covers it. */
  readonly prepared: string;
  readonly preparedCheckpoint: string;
  /** The suffix of names of files that are moved aside. */
  readonly stamp: string;
  /** Called after each step. For tests of crashes. */
  readonly reached?: (step: Step) => void;
}

export type Step = "held" | "kept" | "cleared" | "checkpoint" | "log";

/**
 * Answers the names that what was there has now.
 * @throws FaultError LOG_LOCKED, or whatever the file system throws; then the old log is in place
 */
export function replaceLog({ log, prepared, preparedCheckpoint, stamp, reached }: Replacement): readonly string[] {
  const directory = dirname(log);
  const aside = asideName(log, stamp);
  // Kept before SQLite folds the write-ahead log in: of a damaged one it keeps only what is before the damage.
  const kept = COMPANIONS.filter((suffix) => keep(log + suffix, aside + suffix));
  let held: HeldLog;
  try {
    held = holdLog(log);
  } catch (thrown) {
    for (const suffix of kept) rmSync(aside + suffix);
    throw thrown;
  }
  try {
    reached?.("held");
    kept.push(...["", CHECKPOINT, SUMS].filter((suffix) => keep(log + suffix, aside + suffix)));
    syncDirectory(directory);
    reached?.("kept");
    // A write-ahead log that SQLite could not fold in: without it the old log is still known by its checkpoint as one that
    // lacks its end; beside the new log it would be taken for a part of that.
    if (!held.folded) for (const suffix of COMPANIONS) rmSync(log + suffix, { force: true });
    rmSync(log + SUMS, { force: true });
    reached?.("cleared");
    if (!kept.includes("")) placeFirst(prepared, log);
    // The older checkpoint first: of the old log it says something that is true. The other way round the new log would
    // be found to lack what the old one had.
    renameSync(preparedCheckpoint, checkpointOf(log));
    reached?.("checkpoint");
    if (kept.includes("")) renameSync(prepared, log);
    syncDirectory(directory);
    reached?.("log");
  } finally {
    held.release();
  }
  return kept.sort().map((suffix) => basename(aside + suffix));
}

/** `log.db.replaced-2026-11-21T044113Z`, or with a number where that is taken. */
function asideName(log: string, stamp: string): string {
  const name = join(dirname(log), `${basename(log)}.replaced-${stamp}`);
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}-${count}`;
    if (!logIsThere(free)) return free;
  }
}

/** Where there was no log, and nothing to lock: not over one that a node has made since. */
function placeFirst(prepared: string, log: string): void {
  rmSync(checkpointOf(log), { force: true });
  try {
    linkSync(prepared, log);
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "EEXIST") throw thrown;
    renameSync(prepared, log);
    return;
  }
  rmSync(prepared);
}

/** A second name for the file, so that it is never without one; where the file system has no links, a copy. */
function keep(path: string, aside: string): boolean {
  if (!existsSync(path)) return false;
  try {
    linkSync(path, aside);
  } catch {
    copyFileSync(path, aside, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
  return true;
}
