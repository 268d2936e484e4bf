// What a verification ends with where something is not proven. One class, and a code that says what it was: the codes are
// rows of the kernel's fault table, and fault/proof-fault.ts is the one place that makes a fault of it.

/** RECEIPT_INVALID: not a receipt. ENTRY_INVALID: an entry's text is not what its header says. CHECKPOINT_INVALID: not a checkpoint. */
export const proofCodes = [
  "RECEIPT_INVALID",
  "ENTRY_INVALID",
  "CHECKPOINT_INVALID",
  /** No key that is trusted signed it, or one that is named did not. */
  "SIGNATURE_INVALID",
  /** The hashes do not lead to the signed root. */
  "PROOF_INVALID",
  /** The text is no verifier key. */
  "VERIFIER_KEY_INVALID",
] as const;

/** Why something is not proven. */
export type ProofCode = (typeof proofCodes)[number];

/** Thrown where something is not proven. */
export class ProofError extends Error {
  readonly code: ProofCode;

  /** `message` may quote what was verified: whoever shows it makes it printable. */
  constructor(code: ProofCode, message: string) {
    super(message);
    this.name = "ProofError";
    this.code = code;
  }
}
