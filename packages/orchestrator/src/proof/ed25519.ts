// Whether a signature is a key's (RFC 8032 §5.1.7). node:crypto looks first, in a thirtieth of the time: what is no signature costs whoever
// is given it next to nothing. What that accepts counts only where it is one to the letter;
// what the library alone accepts, with a point beside the group of the base point, does not.

import { createPublicKey, verify } from "node:crypto";
import { verifyAsync } from "@noble/ed25519";

/** RFC 8410 §4: what stands before the 32 bytes of a public key. */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** @param publicKey 32 bytes */
export async function isSignature(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
  if (!verify(null, bytes, key, signature)) return false;
  // By default the library, too, accepts what others do not (ZIP215): keys of small order, and points written in more than one way.
  return verifyAsync(signature, bytes, publicKey, { zip215: false });
}
