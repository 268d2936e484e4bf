// A key that signs, out of its 32 secret bytes, which nothing else here ever sees.

import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { signAsync } from "@noble/ed25519";
import type { NodeSigner } from "./node-signer.ts";

export const SEED_BYTES = 32;

/** The name of a node's key, in notes and in what verifies them. */
export function keyName(node: string): string {
  return `capstan/${node}`;
}

/** RFC 8410 §7: what stands before the 32 bytes of a private key. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

export function signerOf(node: string, seed: Uint8Array): NodeSigner {
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-SEED_BYTES);
  const signNow = (bytes: Uint8Array): Uint8Array => new Uint8Array(sign(null, bytes, secret));
  // Not at once where nobody has to have it at once: those who ask for a checkpoint meanwhile share the next one (notary.ts).
  const later = (bytes: Uint8Array): Promise<Uint8Array> => signAsync(bytes, seed);
  return { name: keyName(node), publicKey: new Uint8Array(publicKey), sign: later, signNow };
}

/** A key that lives as long as its process: for nodes that were given none. It is admitted to no log. */
export function ephemeralSigner(node: string, random: (bytes: Uint8Array) => void): NodeSigner {
  const seed = new Uint8Array(SEED_BYTES);
  random(seed);
  return signerOf(node, seed);
}
