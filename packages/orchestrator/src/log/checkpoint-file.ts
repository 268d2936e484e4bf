// The checkpoint beside a log's file: the last one written. The log must hold at least what it covers. Only the tree is compared here; who signed
// it is checked in verification/.

import { readFileSync } from "node:fs";
import { type Checkpoint, parseCheckpoint } from "../proof/checkpoint.ts";
import { openNote } from "../proof/note.ts";
import { ProofError } from "../proof/proof-error.ts";

export function checkpointOf(path: string): string {
  return `${path}.checkpoint`;
}

export type CheckpointFile =
  | { readonly kind: "none" }
  | { readonly kind: "malformed"; readonly why: string }
  | { readonly kind: "checkpoint"; readonly note: string; readonly checkpoint: Checkpoint };

/** @throws what the file system throws, except where there is no such file */
export function readCheckpoint(path: string): CheckpointFile {
  let note: string;
  try {
    note = readFileSync(checkpointOf(path), "utf8");
  } catch (thrown) {
    if ((thrown as { code?: string }).code === "ENOENT") return { kind: "none" };
    throw thrown;
  }
  return parseNote(note);
}

export function parseNote(note: string): Exclude<CheckpointFile, { kind: "none" }> {
  try {
    return { kind: "checkpoint", note, checkpoint: parseCheckpoint(openNote(note).text) };
  } catch (thrown) {
    if (!(thrown instanceof ProofError)) throw thrown;
    return { kind: "malformed", why: thrown.message };
  }
}

/** What is wrong with a log of which this is the checkpoint; `undefined` where it holds all that was signed. */
export function contradiction(
  { log, size, root }: Checkpoint,
  tree: { readonly id: string; readonly size: number; root(size: number): Uint8Array },
): string | undefined {
  if (log !== tree.id) return `the checkpoint beside the file is of another log, ${log}`;
  if (size > tree.size) {
    const lost = tree.size + 1 === size ? `entry ${size} is` : `entries ${tree.size + 1} to ${size} are`;
    return `${lost} gone: the checkpoint beside the file is of ${size}`;
  }
  if (Buffer.compare(root, tree.root(size)) === 0) return undefined;
  return `the entries 1 to ${size} are not those of the checkpoint beside the file: their root is another`;
}
