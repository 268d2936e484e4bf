// A receipt: one entry, the inclusion proof of it, and the signed checkpoint with the proof's root. Verifying it takes
// nothing but a trusted key.

import { LARGEST, readBase64, readJson } from "./canonical.ts";
import { type Checkpoint, type CheckpointKey, verifyCheckpoint } from "./checkpoint.ts";
import { type Cosignature, verifyCosignatures, type WitnessKey } from "./cosignature.ts";
import { type CheckedEntry, checkHeaderAndParts } from "./entry-check.ts";
import { HASH_BYTES, LONGEST_INCLUSION, verifyInclusion } from "./merkle.ts";
import { ProofError } from "./proof-error.ts";

/** The value of a receipt's field `format`. */
export const RECEIPT_FORMAT = "capstan.receipt/1";

/** A receipt as JSON. */
export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT;
  /** The entry's number, from 1. */
  readonly entry: number;
  /** The entry's first line, as it is stored. */
  readonly header: string;
  /** The lines of the disclosed parts, as they are stored. */
  readonly parts: readonly string[];
  /** The audit path (RFC 6962 §2.1.1), base64. */
  readonly proof: readonly string[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** What a receipt proves. */
export interface VerifiedReceipt extends CheckedEntry {
  readonly entry: number;
  readonly checkpoint: Checkpoint;
  /** One cosignature of each witness whose key was given. */
  readonly cosignatures: readonly Cosignature[];
}

const FIELDS: readonly (keyof Receipt)[] = ["format", "entry", "header", "parts", "proof", "checkpoint"];
const MOST_PARTS = 4;

/**
 * Verifies a receipt, given as JSON text or as its parsed value.
 * @param witnesses each of them must have cosigned the checkpoint
 * @throws ProofError RECEIPT_INVALID, ENTRY_INVALID, CHECKPOINT_INVALID, SIGNATURE_INVALID, PROOF_INVALID
 */
export async function verifyReceipt(
  given: unknown,
  keys: readonly CheckpointKey[],
  witnesses: readonly WitnessKey[] = [],
): Promise<VerifiedReceipt> {
  const receipt = receiptOf(typeof given === "string" ? readJson(given) : given);
  const proof = receipt.proof.map(hashOf);
  const checked = checkHeaderAndParts(receipt.header, receipt.parts);
  const checkpoint = await verifyCheckpoint(receipt.checkpoint, keys);
  const cosignatures = await verifyCosignatures(receipt.checkpoint, witnesses);
  for (const key of witnesses) {
    if (cosignatures.some((one) => one.key === key)) continue;
    throw new ProofError(
      "SIGNATURE_INVALID",
      `the witness ${key.name} (${key.keyHash}) has not cosigned the checkpoint`,
    );
  }
  const { entry } = receipt;
  const { size, root } = checkpoint;
  if (entry > size) {
    throw new ProofError(
      "PROOF_INVALID",
      `the checkpoint is of ${size} entries, and so says nothing of entry ${entry}`,
    );
  }
  if (!verifyInclusion({ index: entry - 1, size, leaf: checked.leaf, proof, root })) {
    throw new ProofError("PROOF_INVALID", `the proof does not show that this is entry ${entry} of ${checkpoint.log}`);
  }
  return { ...checked, entry, checkpoint, cosignatures };
}

function receiptOf(value: unknown): Receipt {
  if (typeof value !== "object" || value === null) throw invalid("it is not JSON, or says something in two ways");
  const { format, entry, header, parts, proof, checkpoint } = value as Partial<Record<keyof Receipt, unknown>>;
  const names = Object.keys(value);
  if (names.length !== FIELDS.length || !FIELDS.every((name) => names.includes(name))) {
    throw invalid(`it has not exactly the fields ${FIELDS.join(", ")}`);
  }
  if (format !== RECEIPT_FORMAT) throw invalid(`its format is not ${RECEIPT_FORMAT}`);
  if (!Number.isInteger(entry) || (entry as number) < 1 || (entry as number) > LARGEST) {
    throw invalid("its entry is no number from 1 to 2^53 - 1");
  }
  if (!isText(header) || !isText(checkpoint)) throw invalid("its header or its checkpoint is no text");
  if (!isTexts(parts, MOST_PARTS)) throw invalid(`its parts are not at most ${MOST_PARTS} texts`);
  if (!isTexts(proof, LONGEST_INCLUSION)) throw invalid(`its proof is not at most ${LONGEST_INCLUSION} texts`);
  return { format, entry: entry as number, header, parts, proof, checkpoint };
}

// A lone surrogate has no UTF-8 form, and would be hashed as U+FFFD: two texts with one hash.
function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

function isTexts(value: unknown, most: number): value is readonly string[] {
  return Array.isArray(value) && value.length <= most && value.every(isText);
}

function hashOf(text: string): Uint8Array {
  const bytes = readBase64(text);
  if (bytes?.length !== HASH_BYTES) throw invalid("a hash of its proof is no SHA-256 in base64");
  return bytes;
}

function invalid(why: string): ProofError {
  return new ProofError("RECEIPT_INVALID", `the receipt is malformed: ${why}`);
}
