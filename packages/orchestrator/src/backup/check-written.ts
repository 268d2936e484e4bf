// A log's file that was just written, read back from the disk and verified as anybody would: what was checked on its way in
// may still have been written wrong. Here it is also asked who signed it: the keys that a log handed over to are in the log.

import { FaultError, fault } from "../fault/fault.ts";
import { verifyLogFile } from "../verification/verify-file.ts";

/**
 * Answers the name of the key that signed its checkpoint.
 * @param keys verifier keys that are trusted; `undefined` for those that the log itself admits
 * @throws FaultError LOG_DAMAGED, SIGNATURE_INVALID, VERIFIER_KEY_INVALID
 */
export async function checkWritten(path: string, keys: readonly string[] | undefined): Promise<string> {
  const { valid, problems, checkpoints } = await verifyLogFile(path, { keys });
  const signed = checkpoints.find((one) => one.valid);
  if (valid && signed?.signedBy !== undefined) return signed.signedBy;
  const unsigned = checkpoints.find((one) => one.signedBy === undefined && one.why !== undefined);
  const [first] = problems;
  if (unsigned !== undefined && (first === undefined || first.what === unsigned.why)) {
    throw new FaultError(fault("SIGNATURE_INVALID", `${unsigned.why}; nothing was kept`));
  }
  const why = first === undefined ? "no checkpoint of it is valid" : `${first.where}: ${first.what}`;
  const text = `what was written is not what was signed (${why}); nothing was kept`;
  throw new FaultError(fault("LOG_DAMAGED", text));
}
