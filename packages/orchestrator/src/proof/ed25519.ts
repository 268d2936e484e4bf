// Verifies an ed25519 signature (RFC 8032 §5.1.7) by two implementations; both must accept it. node:crypto is first, in a thirtieth of
// the time, so that a wrong signature costs a verifier next to nothing. The library then applies the RFC's strict rules;
// on its own it would also accept points outside the base point's group.

import { createPublicKey, verify } from "node:crypto";
import { verifyAsync } from "@noble/ed25519";

/** RFC 8410 §4: the DER prefix before the 32 bytes of a public key. */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** @param publicKey 32 bytes */
export async function isSignature(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
  if (!verify(null, bytes, key, signature)) return false;
  // The library's default (ZIP215) would accept more: keys of small order, and non-canonical encodings of points.
  return verifyAsync(signature, bytes, publicKey, { zip215: false });
}
