// The statement that both keys sign at a key rotation: a signed note (https://c2sp.org/signed-note). With the old key alone, one
// can verify the new key by it.
//
//   capstan key rotation
//   l-2xk…                                       the log's id
//   capstan/n-7f3a1b2c+9a0b1c2d+AQ…              the old verifier key
//   capstan/n-7f3a1b2c+1f2e3d4c+AQ…              the new verifier key

import {
  formatVerifierKey,
  parseVerifierKey,
  type Signer,
  signNote,
  type VerifierKey,
  verifyNote,
} from "../proof/note.ts";
import { ProofError } from "../proof/proof-error.ts";

const TITLE = "capstan key rotation";

export async function signRotation(log: string, old: Signer, next: Signer): Promise<string> {
  const text = `${[TITLE, log, formatVerifierKey(old), formatVerifierKey(next)].join("\n")}\n`;
  const byOld = await signNote(text, old);
  const byNext = await signNote(text, next);
  return byOld + byNext.slice(text.length + 1);
}

/**
 * The keys of a statement that both of them signed.
 * @throws ProofError CHECKPOINT_INVALID, SIGNATURE_INVALID, VERIFIER_KEY_INVALID
 */
export async function verifyRotation(
  statement: string,
): Promise<{ readonly log: string; readonly old: VerifierKey; readonly next: VerifierKey }> {
  const [title, log = "", oldText = "", nextText = ""] = statement.split("\n");
  const old = parseVerifierKey(oldText);
  const next = parseVerifierKey(nextText);
  const { text, signers } = await verifyNote(statement, [old, next]);
  if (text !== `${[TITLE, log, oldText, nextText].join("\n")}\n` || title !== TITLE) {
    throw new ProofError("CHECKPOINT_INVALID", "the note is no statement of a key's rotation");
  }
  if (!signers.includes(old) || !signers.includes(next)) {
    throw new ProofError("SIGNATURE_INVALID", `only ${signers.length} of the two keys signed the rotation`);
  }
  return { log, old, next };
}
