// Checkpoints of this log with the cosignatures of witnesses, for receipts. A plugin collects and verifies the cosignatures; the kernel only keeps them.

import { cosigned } from "../proof/cosignature.ts";
import { MOST_SIGNATURES } from "../proof/note.ts";

/** A checkpoint with witnesses' cosignatures. */
export interface CosignedCheckpoint {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The note as the log signed it. */
  readonly note: string;
  /** Each witness's line of the note, by the witness's name. */
  readonly cosignatures: ReadonlyMap<string, string>;
}

/** Few are enough: witnesses that check at about the same intervals cosign the same checkpoints. */
const MOST_KEPT = 16;
/** Besides the log's own signature: verifiers refuse a note with more signatures. */
const MOST_COSIGNATURES = MOST_SIGNATURES - 1;

/** The latest cosigned checkpoints of this log, for receipts. */
export class CosignedCheckpoints {
  /** Newest first. */
  #kept: readonly CosignedCheckpoint[] = [];

  get kept(): readonly CosignedCheckpoint[] {
    return this.#kept;
  }

  /** Beyond the most cosignatures a witness is left out; it can cosign the next checkpoint. @param line the witness's cosignature, verified */
  add({ size, root, note }: Omit<CosignedCheckpoint, "cosignatures">, witness: string, line: string): void {
    const before = this.#kept.find((one) => one.note === note)?.cosignatures ?? new Map<string, string>();
    if (before.size >= MOST_COSIGNATURES && !before.has(witness)) return;
    const added: CosignedCheckpoint = { size, root, note, cosignatures: new Map(before).set(witness, line) };
    const others = this.#kept.filter((one) => one.note !== note);
    const sorted = [...others, added].sort((a, b) => b.size - a.size);
    // The newest checkpoint of each witness is kept, however old it is.
    const newest = (one: CosignedCheckpoint): boolean =>
      [...one.cosignatures.keys()].some((name) => sorted.find((other) => other.cosignatures.has(name)) === one);
    this.#kept = sorted.filter((one, at) => at < MOST_KEPT || newest(one));
  }

  /** The checkpoints that cover an entry and have at least so many cosignatures, newest first, as notes with their cosignatures. */
  *covering(entry: number, witnesses: number): Generator<CosignedCheckpoint, void, void> {
    for (const one of this.#kept) {
      if (one.size < entry || one.cosignatures.size < witnesses) continue;
      yield { ...one, note: cosigned(one.note, one.cosignatures.values()) };
    }
  }
}
