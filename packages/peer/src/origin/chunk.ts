// A chunk: routes that their origin signed together, in memory. One object stands behind all the paths that came of it, and
// behind all that is announced of it to others, who get the leaves that they may see and hashes for the rest.

import type { Leaf, OriginClaim, Pruned } from "../wire/message.ts";

export interface Chunk {
  readonly claim: OriginClaim;
  /** From left to right, what this node was not told pruned. Shared by all paths: never changed. */
  readonly leaves: readonly (Leaf | Pruned)[];
  /** The tree's root, base64url (RFC 6962 §2.1's hashing). */
  readonly root: string;
}

/** What a chunk is worth (origin/assess.ts), as RFC 6811 has it for prefixes; `rejected` never becomes a path. */
export type OriginVerdict =
  /** The claim is well signed by a key that we know as the origin's. `owned` is asked route by route (ownership.ts). */
  | { readonly kind: "pinned" }
  /** Well signed, by a key that nobody told us of: worth what the policy says. */
  | { readonly kind: "unpinned" }
  | { readonly kind: "rejected"; readonly why: OriginFault; readonly text: string };

export type OriginFault =
  | "bad-signature"
  | "foreign-key" // another key than those pinned for that node
  | "expired"
  | "too-long" // expires further ahead than we let anybody promise
  | "old-epoch"; // the origin has started again since
