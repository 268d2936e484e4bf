// A node's identity: an ed25519 key (RFC 8032). Keys and signatures are base64url on the outside, as they are on the wire.

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { BYTES_32, BYTES_64 } from "../wire/names.ts";

/** A node's ed25519 key. */
export interface Identity {
  /** base64url, 32 bytes. */
  readonly publicKey: string;
  /** 64 bytes. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

/** RFC 8410 §7: what stands before an ed25519 key's 32 bytes in PKCS#8. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** `seed`: RFC 8032's private key, 32 bytes. */
export function signWith(seed: Uint8Array): Identity {
  if (seed.length !== 32) throw new Error(`an ed25519 seed has 32 bytes, this one ${seed.length}`);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "jwk" }).x as string;
  return { publicKey, sign: (bytes) => sign(null, bytes, key) };
}

/** False for what is no key or no signature, too. Never throws. */
export function verifySignature(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  if (!BYTES_32.test(publicKey) || !BYTES_64.test(signature)) return false;
  try {
    return verify(null, bytes, keyObject(publicKey), Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

function keyObject(publicKey: string): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
}
