// A node's signing key, and how another key succeeds it. The server keeps the key files (server/node-key.ts).

import type { Signer } from "../proof/note.ts";

/** A signer with which a node signs. */
export interface NodeSigner extends Signer {
  /** The same signature, synchronously; `undefined` where the key can only sign asynchronously. */
  readonly signNow?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** `undefined` where the key cannot be rotated. */
  readonly succession?: Succession | undefined;
}

/** The successor of the key in force. */
export interface Succession {
  /** Makes the successor, and resolves once its file is durable; a second call returns the same key. */
  next(): Promise<NodeSigner>;
  /** A successor that was made, and has not been promoted. */
  made(): Promise<NodeSigner | undefined>;
  /** Replaces the file of the key in force by the successor's. */
  promote(): Promise<void>;
  /** Deletes the successor. */
  discard(): Promise<void>;
}
