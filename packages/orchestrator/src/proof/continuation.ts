// Whether a log's newer checkpoint goes on from an older one that somebody kept: by growing, by a restore that its signer
// declares, or not at all. What a witness asks of each checkpoint that it is shown; both are verified before.

import type { Checkpoint } from "./checkpoint.ts";
import { verifyConsistency } from "./merkle.ts";
import { ProofError } from "./proof-error.ts";

/** How a newer checkpoint goes on from an older one. */
export type Continuation =
  /** Every entry of the older one is in the newer one, where it was. */
  | { readonly kind: "grown" }
  /**
   * The log went on from a backup: of the older one only the first `kept` entries can be in the newer one. That they are
   * the same ones is proven by a checkpoint of that size or less, for which the newer one is grown.
   */
  | { readonly kind: "restored"; readonly epoch: number; readonly kept: number };

/** What the newer one's consistency proof has to begin with: the proof is from this size to the newer one's. */
export function proofBeginsAt(older: Checkpoint, newer: Checkpoint): number {
  return restoreBetween(older, newer)?.size ?? older.size;
}

/**
 * Tells a restore from a fork. A fork is what remains: the same log signed twice, and no restore that says why.
 * @param proof the consistency proof (RFC 6962 §2.1.2) from `proofBeginsAt(older, newer)` to `newer.size`
 * @throws ProofError PROOF_INVALID where the newer one is no continuation of the older one
 */
export function verifyContinuation(older: Checkpoint, newer: Checkpoint, proof: readonly Uint8Array[]): Continuation {
  if (older.log !== newer.log) throw broken(`they are of two logs, ${older.log} and ${newer.log}`);
  if (newer.epoch < older.epoch) throw broken(`it is of an older epoch, ${newer.epoch} after ${older.epoch}`);
  // Or entries could be taken away by a restore, and the restore by the next checkpoint.
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
 * The restore that took entries of the older one away. One before the older one was signed is old news; one that kept all of
 * the older one took nothing away, and must show that it did not.
 */
function restoreBetween(older: Checkpoint, { restored }: Checkpoint): Checkpoint["restored"] {
  if (restored === undefined || restored.epoch <= older.epoch) return undefined;
  return restored.size < older.size ? restored : undefined;
}

function broken(why: string): ProofError {
  return new ProofError("PROOF_INVALID", `the newer checkpoint does not go on from the older one: ${why}`);
}
