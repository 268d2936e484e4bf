// Makes a backup: a log file of its own, verified before it gets its name. An incomplete one is never left behind, except where the process is
// killed: then it has a temporary name, and the next backup of this name removes it.

import { linkSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { setImmediate as otherWork } from "node:timers/promises";
import { FaultError, fault } from "../fault/fault.ts";
import { proven } from "../fault/proof-fault.ts";
import type { Restoration } from "../log/log.ts";
import { restorationTable } from "../pipeline/kernel-tables.ts";
import { type Checkpoint, parseCheckpoint } from "../proof/checkpoint.ts";
import { openNote } from "../proof/note.ts";
import type { BackupSource } from "./backup-source.ts";
import { checkWritten } from "./check-written.ts";
import { copyLog, MovedOn } from "./copy-log.ts";
import { LogImport } from "./log-import.ts";
import { syncDirectory } from "./sync.ts";
import { removeLeft, temporaryOf } from "./temporary.ts";
import { writing } from "./unwritable.ts";

/** What to back up, and where to. */
export interface BackupOptions {
  readonly source: BackupSource;
  /** The file to make. */
  readonly path: string;
  /** Verifier keys that are trusted to have signed it; `undefined` for those that the log itself admits. */
  readonly keys: readonly string[] | undefined;
  /** Replaces a file that is there. */
  readonly overwrite?: boolean;
  readonly progress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** A finished backup. */
export interface BackedUp {
  readonly checkpoint: Checkpoint;
  /** The oldest entry in it. */
  readonly first: number;
  /** The key that signed the checkpoint: `capstan/n-7f3a1b2c`. */
  readonly signedBy: string;
}

/** How often a backup begins again because the log was compacted meanwhile. */
const MOST_PASSES = 5;
const OVERTAKEN = "the log was compacted or erased from again and again while it was read; try again";

/**
 * @throws FaultError LOG_DAMAGED, LOG_UNAVAILABLE, SIGNATURE_INVALID, CHECKPOINT_INVALID; Unwritable, also where the file is there; what the
 * signal was aborted with; and what the source throws
 */
export async function backUp(options: BackupOptions): Promise<BackedUp> {
  const { path, overwrite = false } = options;
  writing(path, () => removeLeft(path));
  const temporary = temporaryOf(path);
  try {
    const made = await passes(options, temporary);
    writing(path, () => place(temporary, path, overwrite));
    return made;
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function passes(options: BackupOptions, temporary: string): Promise<BackedUp> {
  for (let pass = 1; ; pass++) {
    const into = new LogImport(temporary);
    try {
      return await onePass(options, into);
    } catch (thrown) {
      into.discard();
      if (!(thrown instanceof MovedOn)) throw thrown;
      if (pass === MOST_PASSES) throw new FaultError(fault("LOG_UNAVAILABLE", OVERTAKEN));
    }
  }
}

async function onePass({ source, keys, progress, signal }: BackupOptions, into: LogImport): Promise<BackedUp> {
  const note = await source.checkpoint();
  const checkpoint = await proven(() => parseCheckpoint(openNote(note).text));
  const first = await copyLog({ source, checkpoint, into, signal, progress: progress ?? (() => {}) });
  const { log: id, epoch } = checkpoint;
  into.finish({ id, epoch, checkpoint: note, restorations: restorationsIn(into, checkpoint) });
  const signedBy = await checkWritten(into.path, keys);
  await otherWork();
  signal?.throwIfAborted();
  return { checkpoint, first, signedBy };
}

/** The restores that its entries record; and the last one, which a checkpoint may name before an entry records it. */
function restorationsIn(into: LogImport, { restored, at }: Checkpoint): readonly Restoration[] {
  const told = into.rows(restorationTable).map(([, { epoch, size, root, at }]) => ({ epoch, size, root, at }));
  if (restored === undefined || told.some(({ epoch }) => epoch === restored.epoch)) return told;
  return [...told, { ...restored, root: Buffer.from(restored.root).toString("base64"), at }];
}

function place(temporary: string, path: string, overwrite: boolean): void {
  if (overwrite) renameSync(temporary, path);
  else {
    // A rename would put it over what somebody has made there in the meantime.
    linkSync(temporary, path);
    rmSync(temporary);
  }
  syncDirectory(dirname(path));
}
