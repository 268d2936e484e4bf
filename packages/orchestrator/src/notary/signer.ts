// A key that signs, out of its 32 secret bytes, which nothing else here ever sees.

import { getPublicKeyAsync, signAsync } from "@noble/ed25519";
import type { Signer } from "../proof/note.ts";

export const SEED_BYTES = 32;

/** The name of a node's key, in notes and in what verifies them. */
export function keyName(node: string): string {
  return `capstan/${node}`;
}

export async function signerOf(node: string, seed: Uint8Array): Promise<Signer> {
  const publicKey = await getPublicKeyAsync(seed);
  return { name: keyName(node), publicKey, sign: (bytes) => signAsync(bytes, seed) };
}

/** A key that lives as long as its process: for nodes that were given none. It is admitted to no log. */
export function ephemeralSigner(node: string, random: (bytes: Uint8Array) => void): Promise<Signer> {
  const seed = new Uint8Array(SEED_BYTES);
  random(seed);
  return signerOf(node, seed);
}
