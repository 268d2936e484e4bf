// Concludes a verification: judges the checkpoints, and counts what they leave unproved.

import type { Restoration } from "../log/log.ts";
import type { CheckpointKey } from "../proof/checkpoint.ts";
import { type CheckpointVerdict, type FoundCheckpoint, judge } from "./checkpoint-verdict.ts";
import type { EntryVerifier } from "./entry-verifier.ts";
import type { Problems } from "./problems.ts";
import type { Verification } from "./verification.ts";
import type { WitnessComparison } from "./witnessed-log.ts";

/** What was examined. */
export interface Looked {
  readonly entries: EntryVerifier;
  readonly problems: Problems;
  readonly found: readonly FoundCheckpoint[];
  /** Verifier keys that are trusted; `undefined` for those that the log itself names. */
  readonly keys: readonly string[] | undefined;
  readonly log: string | undefined;
  readonly first: number;
  readonly epoch: number | undefined;
  readonly restorations: readonly Restoration[];
  readonly rows: number;
  readonly blobs: number;
  readonly notes: readonly string[];
  readonly witness?: WitnessComparison | undefined;
}

/** For which sizes of the tree the root is needed to judge these. */
export function sizesOf(found: readonly FoundCheckpoint[], restorations: readonly Restoration[]): number[] {
  const signed = found.flatMap(({ file }) => (file.kind === "checkpoint" ? [file.checkpoint] : []));
  const roots = signed.flatMap(({ size, restored }) => [size, ...(restored ? [restored.size] : [])]);
  return [...roots, ...restorations.map(({ size }) => size)];
}

export async function conclude(looked: Looked): Promise<Verification> {
  const { entries, problems, found, keys, log, first, rows, blobs, witness } = looked;
  const notes = witness?.note === undefined ? looked.notes : [...looked.notes, witness.note];
  const trusted = await trustedKeys(looked);
  const tree = {
    ...{ ...looked, leaves: entries.leaves, differs: witness?.first },
    root: (size: number) => entries.root(size),
  };
  const checkpoints: CheckpointVerdict[] = [];
  for (const one of found) checkpoints.push(await judge(one, trusted, tree, problems));
  const proved = Math.max(0, ...checkpoints.map(({ valid, size }) => (valid ? (size ?? 0) : 0)));
  entries.checkAccounts(proved);
  const unproved = entries.leaves - proved;
  return {
    valid: problems.found === 0 && checkpoints.some(({ valid }) => valid),
    ...{ log, entries: entries.entries, first, leaves: entries.leaves, rows, blobs, erased: entries.gone.erased },
    root: Buffer.from(entries.rootNow()).toString("base64"),
    ...{ checkpoints, unproved, found: problems.found, problems: problems.kept },
    notes: [...keyNotes(keys, checkpoints), ...unprovedNotes(unproved, proved), ...notes],
  };
}

async function trustedKeys({ keys, entries, log = "", problems }: Looked): Promise<readonly CheckpointKey[]> {
  const handed = await entries.keys.trusted(keys ?? [], log, problems);
  return keys === undefined ? entries.keys.admitted() : handed;
}

function keyNotes(keys: readonly string[] | undefined, checkpoints: readonly CheckpointVerdict[]): string[] {
  if (keys !== undefined || !checkpoints.some(({ valid }) => valid)) return [];
  return ["signed by a key that the log itself names; give --key to be sure"];
}

function unprovedNotes(unproved: number, proved: number): string[] {
  if (unproved === 0 || proved === 0) return [];
  const which = unproved === 1 ? "1 entry is" : `${unproved} entries are`;
  return [`${which} after the checkpoint and proved by nothing yet`];
}
