// The error of a failed verification: one class, with a code that tells the reason. The codes are
// rows of the kernel's fault table; only fault/proof-fault.ts makes faults of these errors.

/** RECEIPT_INVALID: not a receipt. ENTRY_INVALID: an entry's text is not what its header says. CHECKPOINT_INVALID: not a checkpoint. */
export const proofCodes = [
  "RECEIPT_INVALID",
  "ENTRY_INVALID",
  "CHECKPOINT_INVALID",
  /** No trusted key signed it, a named key did not, or a signature is wrong. */
  "SIGNATURE_INVALID",
  /** The hashes do not lead to the signed root. */
  "PROOF_INVALID",
  /** The text is no verifier key. */
  "VERIFIER_KEY_INVALID",
] as const;

/** The reason of a failed verification. */
export type ProofCode = (typeof proofCodes)[number];

/** Thrown by a failed verification. */
export class ProofError extends Error {
  readonly code: ProofCode;

  /** `message` may quote the untrusted input: escape it before showing it (`printable`). */
  constructor(code: ProofCode, message: string) {
    super(message);
    this.name = "ProofError";
    this.code = code;
  }
}
