// Nodes' keys as notes name them: the pinned keys of a peer, and this node's own.

import { keyName, type VerifierKey, verifierOf } from "@capstan/orchestrator";

/** This node's key for cosignatures. */
export interface Identity {
  /** `capstan/n-7f3a1b2c` */
  readonly name: string;
  /** The key in force. */
  publicKey(): Uint8Array;
}

const PREFIX = keyName("");

/** The node id in a key's name; `undefined` where that is no node's key. */
export function nodeOfKey(name: string): string | undefined {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}

/** @param pinned public keys in base64url */
export function verifierKeys(node: string, pinned: readonly string[]): readonly VerifierKey[] {
  return pinned.map((key) => verifierOf({ name: keyName(node), publicKey: Buffer.from(key, "base64url") }));
}
