// An announcement's chunk: whether its leaves are a tree, and which. Whether anybody signed it is asked in assess.ts.

import type { OriginClaim } from "../wire/message.ts";
import type { Chunk } from "./chunk.ts";
import { type Item, readTree } from "./merkle.ts";

export type ChunkReading = { readonly ok: true; readonly chunk: Chunk } | { readonly ok: false; readonly text: string };

/** What an announcement says of its origin. */
export interface Disclosure {
  readonly origin: OriginClaim;
  readonly leaves: readonly Item[];
}

export function readChunk({ origin, leaves }: Disclosure): ChunkReading {
  const tree = readTree(leaves, origin.size);
  return tree.ok ? { ok: true, chunk: { claim: origin, leaves, root: tree.root } } : tree;
}
