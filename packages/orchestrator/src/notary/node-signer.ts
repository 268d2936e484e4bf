// What signs for a node, and how another key comes to sign after it. Where the keys are kept is the edge's (server/node-key.ts).

import type { Signer } from "../proof/note.ts";

/** A signer with which a node signs. */
export interface NodeSigner extends Signer {
  /** The same signature, at once; `undefined` where the key is somewhere that has to be waited for. */
  readonly signNow?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** `undefined` where the key is for good. */
  readonly succession?: Succession | undefined;
}

/** The key that is made to follow the one in force. */
export interface Succession {
  /** Makes it, durable before it is answered; asked again, answers the same. */
  next(): Promise<NodeSigner>;
  /** The one that was made, and does not yet stand in the other's place. */
  made(): Promise<NodeSigner | undefined>;
  /** Puts it there for good. */
  promote(): Promise<void>;
  /** Forgets it. */
  discard(): Promise<void>;
}
