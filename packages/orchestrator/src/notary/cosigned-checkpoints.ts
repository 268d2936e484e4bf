// Checkpoints of this log that witnesses cosigned, as whoever collects them has verified them: for receipts. The kernel collects none.

import { cosigned } from "../proof/cosignature.ts";
import { MOST_SIGNATURES } from "../proof/note.ts";

/** A checkpoint with witnesses' cosignatures. */
export interface CosignedCheckpoint {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The note as the log signed it. */
  readonly note: string;
  /** Lines of its note, by their witnesses' names. */
  readonly cosignatures: ReadonlyMap<string, string>;
}

/** Few are enough: witnesses look at what comes next, and cosign the same ones where they look about as often. */
const MOST_KEPT = 16;
/** Beside the log's own signature: of a note with more nobody reads anything. */
const MOST_COSIGNATURES = MOST_SIGNATURES - 1;

/** The latest cosigned checkpoints of this log, for receipts. */
export class CosignedCheckpoints {
  /** Newest first. */
  #kept: readonly CosignedCheckpoint[] = [];

  get kept(): readonly CosignedCheckpoint[] {
    return this.#kept;
  }

  /** Those who come late to one have the next. @param line of a witness's: verified */
  add({ size, root, note }: Omit<CosignedCheckpoint, "cosignatures">, witness: string, line: string): void {
    const before = this.#kept.find((one) => one.note === note)?.cosignatures ?? new Map<string, string>();
    if (before.size >= MOST_COSIGNATURES && !before.has(witness)) return;
    const added: CosignedCheckpoint = { size, root, note, cosignatures: new Map(before).set(witness, line) };
    const others = this.#kept.filter((one) => one.note !== note);
    const sorted = [...others, added].sort((a, b) => b.size - a.size);
    // The newest that each witness cosigned stays, however far behind the others it is.
    const newest = (one: CosignedCheckpoint): boolean =>
      [...one.cosignatures.keys()].some((name) => sorted.find((other) => other.cosignatures.has(name)) === one);
    this.#kept = sorted.filter((one, at) => at < MOST_KEPT || newest(one));
  }

  /** Those that cover an entry and so many witnesses cosigned, newest first, as notes with their cosignatures. */
  *covering(entry: number, witnesses: number): Generator<CosignedCheckpoint, void, void> {
    for (const one of this.#kept) {
      if (one.size < entry || one.cosignatures.size < witnesses) continue;
      yield { ...one, note: cosigned(one.note, one.cosignatures.values()) };
    }
  }
}
