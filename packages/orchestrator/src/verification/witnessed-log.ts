// What a witness has of a log, for use where the log is: the checkpoint that it cosigned, and the leaves that it was shown. They tell which entry was
// changed since.

import { parseNote } from "../log/checkpoint-file.ts";
import type { LeafWindow } from "../proof/leaf-window.ts";
import { equal } from "../proof/merkle.ts";

/** What a witness has of a log. */
export interface WitnessedLog {
  /** The signed note. */
  readonly checkpoint: string;
  /** `undefined` where there is only the checkpoint. */
  readonly leaves: LeafWindow | undefined;
}

export class WitnessComparison {
  /** The first entry that is not the one that the witness was shown. */
  first: number | undefined;
  readonly #leaves: LeafWindow | undefined;
  /** Why the leaves cannot be compared. */
  readonly note: string | undefined;

  constructor({ checkpoint, leaves }: WitnessedLog) {
    const parsed = parseNote(checkpoint);
    if (parsed.kind === "malformed" || leaves === undefined) return;
    const { size, root } = parsed.checkpoint;
    const cut = leaves.cut(size);
    const its = cut?.root(size);
    // The leaves count only as far as a checkpoint that the log signed covers them.
    if (its !== undefined && equal(its, root)) this.#leaves = cut;
    else this.note = "the leaves of the witness are not those of its checkpoint: no entry can be named by them";
  }

  saw(entry: number, leaf: Uint8Array): void {
    if (this.first !== undefined) return;
    const theirs = this.#leaves?.leaf(entry);
    if (theirs !== undefined && !equal(theirs, leaf)) this.first = entry;
  }
}
