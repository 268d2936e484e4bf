// Makes chunks of a node's own routes, each signed once, and chooses what of a chunk is told to whom.

import { LEAVES, type Leaf, type Pruned } from "../wire/message.ts";
import type { DomainId, NodeId } from "../wire/names.ts";
import type { Chunk } from "./chunk.ts";
import { claimBytes } from "./claim-text.ts";
import { pruneTree, readTree } from "./merkle.ts";

export interface Signer {
  readonly node: NodeId;
  readonly domain: DomainId;
  /** The public key that `sign` signs for, base64url. */
  readonly key: string;
  readonly epoch: number;
  /** Seconds since 1970. */
  readonly expires: number;
  /** Leaves of a chunk, at most: 1 to 1024. */
  readonly chunkSize?: number;
}

/** A signature costs 25 µs to make and 50 µs to verify: over 256 leaves, less than hashing them does. */
const CHUNK_SIZE = 256;

/** In the order of names, so that equal routes give equal chunks. Throws where a name is there twice: that is the caller's bug. */
export function signChunks(routes: readonly Leaf[], who: Signer, sign: (bytes: Uint8Array) => Uint8Array): Chunk[] {
  const { node, domain, key, epoch, expires, chunkSize = CHUNK_SIZE } = who;
  if (!Number.isInteger(chunkSize) || chunkSize < 1 || chunkSize > LEAVES)
    throw new Error(`chunks have 1 to ${LEAVES} leaves, not ${chunkSize}`);
  const ordered = routes.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const chunks: Chunk[] = [];
  for (let from = 0; from < ordered.length; from += chunkSize) {
    const leaves = ordered.slice(from, from + chunkSize);
    const tree = readTree(leaves, leaves.length);
    if (!tree.ok) throw new Error(`routes that cannot be signed: ${tree.text}`);
    const claim = { node, domain, key, epoch, expires, size: leaves.length };
    const signature = Buffer.from(sign(claimBytes(claim, tree.root))).toString("base64url");
    chunks.push({ claim: { ...claim, signature }, leaves, root: tree.root });
  }
  return chunks;
}

/** The chunk's leaves whose names are in `keep`, and hashes for the rest; of nothing that it does not tell itself. */
export const disclose = (chunk: Chunk, keep: ReadonlySet<string>): readonly (Leaf | Pruned)[] =>
  pruneTree(chunk.leaves, chunk.claim.size, keep);
