// Whether a newer checkpoint of a log is consistent with an older one that somebody kept: the log has grown, or was restored and the
// newer checkpoint declares that. Witnesses check this before they cosign. The signatures of both are verified before.

import type { Checkpoint } from "./checkpoint.ts";
import { verifyConsistency } from "./merkle.ts";
import { ProofError } from "./proof-error.ts";

/** How a newer checkpoint is consistent with an older one. */
export type Continuation =
  /** Every entry of the older one is in the newer one, where it was. */
  | { readonly kind: "grown" }
  /**
   * The log was restored from a backup: only the first `kept` entries of the older checkpoint can be in the newer one. To prove
   * that they are unchanged takes a checkpoint of at most that size, for which the newer one is `grown`.
   */
  | { readonly kind: "restored"; readonly epoch: number; readonly kept: number };

/** The first size of the consistency proof that is needed; the second is the newer checkpoint's size. */
export function proofBeginsAt(older: Checkpoint, newer: Checkpoint): number {
  return restoreBetween(older, newer)?.size ?? older.size;
}

/**
 * Tells a restore from a fork. A fork: two inconsistent checkpoints of one log, without a declared restore.
 * @param proof the consistency proof (RFC 6962 §2.1.2) from `proofBeginsAt(older, newer)` to `newer.size`
 * @throws ProofError PROOF_INVALID where the newer checkpoint is not consistent with the older one
 */
export function verifyContinuation(older: Checkpoint, newer: Checkpoint, proof: readonly Uint8Array[]): Continuation {
  if (older.log !== newer.log) throw broken(`they are of two logs, ${older.log} and ${newer.log}`);
  if (newer.epoch < older.epoch) throw broken(`it is of an older epoch, ${newer.epoch} after ${older.epoch}`);
  // Otherwise a restore could remove entries, and the next checkpoint could hide the restore.
  if (older.restored !== undefined && (newer.restored?.epoch ?? 0) < older.restored.epoch)
    throw broken(`it declares no more the restore by which epoch ${older.restored.epoch} began`);
  const restored = restoreBetween(older, newer);
  const from = restored ?? older;
  if (from.size > newer.size)
    throw broken(`it has ${newer.size} entries, after ${older.size}, and declares no restore`);
  const consistent = verifyConsistency({
    ...{ from: from.size, to: newer.size, fromRoot: from.root, toRoot: newer.root, proof },
  });
  if (!consistent) throw broken(`the proof does not show the first ${from.size} entries in its ${newer.size}`);
  if (restored === undefined) return { kind: "grown" };
  return { kind: "restored", epoch: restored.epoch, kept: restored.size };
}

/**
 * The restore that removed entries of the older checkpoint. A restore of the older checkpoint's epoch or earlier does not count. One that kept all
 * its entries removed none: then the ordinary consistency proof is required.
 */
function restoreBetween(older: Checkpoint, { restored }: Checkpoint): Checkpoint["restored"] {
  if (restored === undefined || restored.epoch <= older.epoch) return undefined;
  return restored.size < older.size ? restored : undefined;
}

function broken(why: string): ProofError {
  return new ProofError("PROOF_INVALID", `the newer checkpoint does not go on from the older one: ${why}`);
}
