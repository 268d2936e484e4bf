// Nodes' keys, as notes name them: a peer's are those that are pinned, and ours signs at once.

import { keyName, type VerifierKey, verifierOf } from "@capstan/orchestrator";

/** This node's key, as whoever verifies what it cosigned knows it. */
export interface Identity {
  /** `capstan/n-7f3a1b2c` */
  readonly name: string;
  /** The one in force. */
  publicKey(): Uint8Array;
}

const PREFIX = keyName("");

/** The node whose key is called so. */
export function nodeOfKey(name: string): string | undefined {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}

/** @param pinned public keys in base64url */
export function verifierKeys(node: string, pinned: readonly string[]): readonly VerifierKey[] {
  return pinned.map((key) => verifierOf({ name: keyName(node), publicKey: Buffer.from(key, "base64url") }));
}
