// Puts a backup in the place of a data directory's log. The log goes on from there in a new epoch, and every later checkpoint declares that, so that
// a witness with an older checkpoint sees a restore and not a fork (proof/continuation.ts). The backup is verified entry by entry while it is
// copied into a new file; the directory is not touched before that is complete.

import { rmSync, writeFileSync } from "node:fs";
import { setImmediate as otherWork } from "node:timers/promises";
import { FaultError, fault } from "../fault/fault.ts";
import { proven } from "../fault/proof-fault.ts";
import { readCheckpoint } from "../log/checkpoint-file.ts";
import type { Restoration } from "../log/log.ts";
import { type Checkpoint, parseCheckpoint } from "../proof/checkpoint.ts";
import { openNote, type Signer } from "../proof/note.ts";
import { checkWritten } from "./check-written.ts";
import { copyLog } from "./copy-log.ts";
import { checkNotHeld } from "./hold-log.ts";
import { LogImport } from "./log-import.ts";
import { logSource } from "./log-source.ts";
import { logIsThere, replaceLog } from "./replace-log.ts";
import { StoppedLog } from "./stopped-log.ts";
import { syncFile } from "./sync.ts";
import { removeLeft, temporaryOf } from "./temporary.ts";
import { writing } from "./unwritable.ts";

/** Which backup to restore, and in the place of which log. */
export interface RestoreOptions {
  /** The backup, or the log of a stopped node. */
  readonly file: string;
  /** The log to make: `<data>/log.db`. Its directory must exist. */
  readonly log: string;
  /** Verifier keys that are trusted to have signed the backup; `undefined` for those that it admits itself. */
  readonly keys: readonly string[] | undefined;
  /**
   * Also takes entries that no checkpoint covers, as in a salvaged log: the caller vouches for them, and this signer, the node's, signs
   * them.
   */
  readonly unproved?: Signer | undefined;
  /** Moves a log that is there aside. */
  readonly replace?: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly progress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** A finished restore. */
export interface Restored {
  /** The backup's checkpoint. */
  readonly checkpoint: Checkpoint;
  /** The key that signed it: `capstan/n-7f3a1b2c`. */
  readonly signedBy: string;
  /** The epoch in which the log goes on. */
  readonly epoch: number;
  /** The names that the former files have now; and how many entries the former log had, where that could be told. */
  readonly aside: readonly string[];
  readonly replaced: { readonly head: number; readonly log: string } | undefined;
}

/**
 * How far the new epoch is ahead of the backup's, where nobody can tell which epochs there were since. More than restarts can have used:
 * one each second for twelve days.
 */
const UNSEEN_EPOCHS = 2 ** 20;

/**
 * @throws FaultError LOG_LOCKED, RESTORE_OVER_DATA, LOG_NEWER, LOG_DAMAGED, CHECKPOINT_INVALID, SIGNATURE_INVALID; what the
 * signal was aborted with; and Unwritable. Then what was there is there, as it was.
 */
export async function restoreLog(options: RestoreOptions): Promise<Restored> {
  const { log, replace = false, now } = options;
  checkNotHeld(log);
  if (!replace && logIsThere(log)) throw overData(log);
  writing(log, () => removeLeft(log));
  const prepared = temporaryOf(log);
  const preparedCheckpoint = `${prepared}.checkpoint`;
  try {
    const before = previous(log);
    const made = await prepare(options, prepared, before?.epoch);
    writing(preparedCheckpoint, () => {
      writeFileSync(preparedCheckpoint, made.note, { mode: 0o644, flag: "wx" });
      syncFile(preparedCheckpoint);
    });
    const signedBy = await checkWritten(prepared, options.keys);
    await otherWork();
    options.signal?.throwIfAborted();
    const stamp = new Date(now).toISOString().replace(/:|\.\d+/g, "");
    if (!replace && logIsThere(log)) throw overData(log);
    const aside = writing(log, () => replaceLog({ log, prepared, preparedCheckpoint, stamp }));
    const { checkpoint, epoch } = made;
    return { checkpoint, signedBy, epoch, aside, replaced: aside.length === 0 ? undefined : before };
  } finally {
    for (const path of [prepared, preparedCheckpoint]) rmSync(path, { force: true });
  }
}

interface Prepared {
  readonly checkpoint: Checkpoint;
  readonly note: string;
  readonly epoch: number;
}

/** Writes the new log. @param seen the greatest epoch of the present log, where that could be told */
async function prepare(options: RestoreOptions, path: string, seen: number | undefined): Promise<Prepared> {
  const { file, now, signal, progress = () => {} } = options;
  using backup = new StoppedLog(file);
  const note = await noteOf(backup, options);
  const checkpoint = await proven(() => parseCheckpoint(openNote(note).text));
  const into = new LogImport(path);
  try {
    await copyLog({ source: logSource(backup, () => note), checkpoint, into, progress, signal });
    const { size } = checkpoint;
    const earlier = [backup.epoch, checkpoint.epoch, ...backup.restorations.map((one) => one.epoch)];
    const last = Math.max(...earlier, seen ?? Math.max(...earlier) + UNSEEN_EPOCHS);
    const root = Buffer.from(checkpoint.root).toString("base64");
    const restoration: Restoration = { epoch: last + 1, size, root, at: now };
    // The next opening counts the epoch up, to the announced one.
    into.finish({ id: backup.id, epoch: last, restorations: [...backup.restorations, restoration] });
    return { checkpoint, note, epoch: last + 1 };
  } catch (thrown) {
    into.discard();
    throw thrown;
  }
}

/** A checkpoint that covers all of the backup. @throws FaultError CHECKPOINT_INVALID */
async function noteOf(backup: StoppedLog, { file, unproved, now }: RestoreOptions): Promise<string> {
  const { head } = backup;
  const noted = backup.noted();
  if (noted?.size === head) return noted.note;
  if (unproved !== undefined) return backup.sign(unproved, now);
  const proved = Math.min(noted?.size ?? 0, head);
  const entries =
    proved + 1 === head ? `entry ${head} of ${file} is` : `entries ${proved + 1} to ${head} of ${file} are`;
  const text = `${entries} covered by no checkpoint: nothing proves that they are what was logged; --unproved takes them all the same`;
  throw new FaultError(fault("CHECKPOINT_INVALID", text, { path: file }));
}

/** What is known of the present log: read from it, or if it is damaged, from its checkpoint. */
function previous(log: string): { readonly epoch: number; readonly head: number; readonly log: string } | undefined {
  const beside = readCheckpoint(log);
  const signed = beside.kind === "checkpoint" ? beside.checkpoint : undefined;
  try {
    using there = new StoppedLog(log);
    const epochs = [there.epoch, ...there.restorations.map((one) => one.epoch)];
    return { log: there.id, head: there.head, epoch: Math.max(...epochs, signed?.epoch ?? 0) };
  } catch {
    return signed && { log: signed.log, head: signed.size, epoch: signed.epoch };
  }
}

function overData(log: string): FaultError {
  const text = `there is a log at ${log}; add --replace to move it aside, or name another data directory`;
  return new FaultError(fault("RESTORE_OVER_DATA", text, { path: log }));
}
