// Judges a checkpoint against a log: whether a trusted key signed it, and whether the log still has all that was signed, unchanged.

import { type CheckpointFile, parseNote } from "../log/checkpoint-file.ts";
import type { Restoration } from "../log/log.ts";
import { type Checkpoint, type CheckpointKey, verifyCheckpoint } from "../proof/checkpoint.ts";
import { equal } from "../proof/merkle.ts";
import { ProofError } from "../proof/proof-error.ts";
import type { Problems } from "./problems.ts";

/** Where a checkpoint was found. */
export type Found = "given" | "beside the file" | "in the file" | "from the server" | "of the witness";

export interface FoundCheckpoint {
  readonly where: Found;
  readonly file: Exclude<CheckpointFile, { kind: "none" }>;
}

export interface CheckpointVerdict {
  readonly where: Found;
  readonly valid: boolean;
  /** The entries that it covers, and when it was signed; absent where it is malformed. */
  readonly size?: number;
  readonly at?: number;
  /** The key that signed it: `capstan/n-7f3a1b2c`. */
  readonly signedBy?: string;
  /** The first entry that was changed or is gone, where that can be told. */
  readonly entry?: number;
  /** Why it is not valid. */
  readonly why?: string;
}

export function foundCheckpoint(where: Found, note: string): FoundCheckpoint {
  return { where, file: parseNote(note) };
}

/** What a checkpoint is compared with. */
export interface VerifiedTree {
  readonly log: string | undefined;
  readonly leaves: number;
  readonly epoch: number | undefined;
  readonly restorations: readonly Restoration[];
  /** The first entry that is not the one that a witness was shown. */
  readonly differs?: number | undefined;
  root(size: number): Uint8Array | undefined;
}

export async function judge(
  { where, file }: FoundCheckpoint,
  keys: readonly CheckpointKey[],
  tree: VerifiedTree,
  problems: Problems,
): Promise<CheckpointVerdict> {
  const named = where === "given" ? "the checkpoint that was given" : `the checkpoint ${where}`;
  if (file.kind === "malformed") {
    problems.add(named, file.why, "find a checkpoint that is whole: a later one, or one that somebody kept");
    return { where, valid: false, why: file.why };
  }
  const { size, at } = file.checkpoint;
  const wrong = await signatureProblem(file.note, keys);
  const signedBy = wrong === undefined ? signerOf(file.note, keys) : undefined;
  const { differs, ...others } = tree;
  const against = contentProblem(file.checkpoint, where === "of the witness" ? tree : others);
  if (wrong !== undefined)
    problems.add(named, wrong, "ask whose key signed it; a checkpoint that nobody vouches for proves nothing");
  if (against !== undefined) problems.add(against.where, against.what);
  const why = wrong ?? against?.what;
  return {
    ...{ where, size, at, valid: why === undefined },
    ...(signedBy && { signedBy }),
    ...(wrong === undefined && against?.entry !== undefined && { entry: against.entry }),
    ...(why && { why }),
  };
}

async function signatureProblem(note: string, keys: readonly CheckpointKey[]): Promise<string | undefined> {
  try {
    await verifyCheckpoint(note, keys);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof ProofError)) throw thrown;
    return thrown.message;
  }
}

/** It was verified: the first line of a signature by one of the keys. */
function signerOf(note: string, keys: readonly CheckpointKey[]): string | undefined {
  return keys.find(({ name }) => note.includes(`\n— ${name} `))?.name;
}

function contentProblem(
  { log, size, root, epoch, restored }: Checkpoint,
  tree: VerifiedTree,
): { readonly where: string; readonly what: string; readonly entry?: number } | undefined {
  if (tree.log !== undefined && log !== tree.log)
    return { where: "the log", what: `it is ${tree.log}, and the checkpoint is of another, ${log}` };
  const given = tree.restorations.find((one) => one.epoch > epoch && one.size < size);
  const { differs } = tree;
  if (differs !== undefined && differs <= (given?.size ?? size))
    return { where: `entry ${differs}`, what: "another than the one that the witness was shown", entry: differs };
  if (given !== undefined) {
    const what = `given up: the log was restored since, in epoch ${given.epoch}, from a backup of ${given.size} entries`;
    return { where: `entries ${given.size + 1} to ${size}`, what };
  }
  if (size > tree.leaves) {
    const lost = size === tree.leaves + 1 ? `entry ${size}` : `entries ${tree.leaves + 1} to ${size}`;
    return { where: lost, what: `gone: the checkpoint is of ${size} entries`, entry: tree.leaves + 1 };
  }
  const is = tree.root(size);
  if (is === undefined) return { where: `entries 1 to ${size}`, what: "too little is left of the tree to compare it" };
  const range = size === 1 ? "entry 1" : `entries 1 to ${size}`;
  if (!equal(is, root)) return { where: range, what: "not those that the checkpoint is of: their root is another" };
  if (tree.epoch !== undefined && epoch > tree.epoch)
    return { where: "the log", what: `it is older than its checkpoint: of epoch ${tree.epoch}, and that of ${epoch}` };
  const before = restored && tree.root(restored.size);
  if (restored !== undefined && (before === undefined || !equal(before, restored.root)))
    return { where: `entries 1 to ${restored.size}`, what: "not those of the backup that was restored" };
  return undefined;
}
