// Makes a signer from a key's 32 secret bytes (its seed). The signer does not expose the seed.

import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import type { NodeSigner } from "./node-signer.ts";

export const SEED_BYTES = 32;

/** The name of a node's key, in notes and in verifier keys. */
export function keyName(node: string): string {
  return `capstan/${node}`;
}

/** RFC 8410 §7: the DER prefix before the 32 bytes of a private key. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The public key of a seed, 32 bytes (RFC 8032 §5.1.5). */
export function publicKeyOfSeed(seed: Uint8Array): Uint8Array {
  return publicKeyOf(secretKey(seed));
}

function secretKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
}

function publicKeyOf(secret: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-SEED_BYTES));
}

export function signerOf(node: string, seed: Uint8Array): NodeSigner {
  const secret = secretKey(seed);
  const signNow = (bytes: Uint8Array): Uint8Array => new Uint8Array(sign(null, bytes, secret));
  // Deferred: calls for a checkpoint that come meanwhile share the next signature (notary.ts).
  const later = async (bytes: Uint8Array): Promise<Uint8Array> => {
    await new Promise((resolve) => setImmediate(resolve));
    return signNow(bytes);
  };
  return { name: keyName(node), publicKey: publicKeyOf(secret), sign: later, signNow };
}

/** A key that lives as long as its process, for nodes that were given no key. No log admits it. */
export function ephemeralSigner(node: string, random: (bytes: Uint8Array) => void): NodeSigner {
  const seed = new Uint8Array(SEED_BYTES);
  random(seed);
  return signerOf(node, seed);
}
