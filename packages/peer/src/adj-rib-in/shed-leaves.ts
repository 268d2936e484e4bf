// A path keeps the whole chunk that it came in, as others may be told of it. Once a chunk's other routes are gone, that
// is a thousand leaves for one path, and no limit of routes would bound what a peer costs. So what is not needed is
// pruned, in place: the paths stay the same ones, and nothing about them is decided anew.

import type { Chunk } from "../origin/chunk.ts";
import type { ChunkCache } from "../origin/chunk-cache.ts";
import { disclose } from "../origin/sign.ts";
import type { Attributes, Path } from "../rib/path.ts";
import type { RouteName } from "../wire/names.ts";

/** Leaves that a peer may announce between two looks at what is kept of them, beside four for each of its paths. */
const LEAVES_BETWEEN = 16_384;

/**
 * Whether it may be worth while: the looks cost less than the announcements did, and what is kept is bounded by the
 * paths.
 */
export const mayShed = (leavesSince: number, paths: number): boolean => leavesSince > LEAVES_BETWEEN + 4 * paths;

interface Kept {
  readonly names: Set<RouteName>;
  /** As policies left them; those that no policy touched are the received ones. */
  readonly attributes: Set<Attributes>;
}

/** All of one peer's paths. */
export function shedLeaves(paths: Iterable<Path>, chunks: ChunkCache): void {
  const kept = new Map<Attributes, Kept>();
  for (const { name, received, attributes } of paths) {
    let of = kept.get(received);
    if (of === undefined) {
      of = { names: new Set(), attributes: new Set([received]) };
      kept.set(received, of);
    }
    of.names.add(name);
    of.attributes.add(attributes);
  }
  for (const [{ chunk }, { names, attributes }] of kept) {
    if (2 * names.size >= chunk.leaves.length) continue;
    const pruned = chunks.intern({ origin: chunk.claim, leaves: disclose(chunk, names) });
    if (!pruned.ok) continue;
    chunks.retain(pruned.chunk, names.size);
    chunks.release(chunk, names.size);
    for (const each of attributes) setChunk(each, pruned.chunk);
  }
}

function setChunk(attributes: { chunk: Chunk }, chunk: Chunk): void {
  attributes.chunk = chunk;
}
