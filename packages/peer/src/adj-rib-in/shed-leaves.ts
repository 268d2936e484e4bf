// Frees the memory of unneeded leaves. A path references the whole chunk that it came in, because the chunk is announced further. Once
// the chunk's other routes are gone, that is up to a thousand leaves for one path, which no limit of routes bounds. So the chunk is
// replaced by one with the other leaves pruned, in place: the paths stay the same objects, and are not judged again.

import type { Chunk } from "../origin/chunk.ts";
import type { ChunkCache } from "../origin/chunk-cache.ts";
import { disclose } from "../origin/sign.ts";
import type { Attributes, Path } from "../rib/path.ts";
import type { RouteName } from "../wire/names.ts";

/** The number of announced leaves, besides four for each of the peer's paths, after which `shedLeaves` runs again. */
const LEAVES_BETWEEN = 16_384;

/**
 * Whether to run `shedLeaves` now: so rarely that it costs less than the announcements did, and often enough that the number of paths
 * bounds the kept leaves.
 */
export const mayShed = (leavesSince: number, paths: number): boolean => leavesSince > LEAVES_BETWEEN + 4 * paths;

interface Kept {
  readonly names: Set<RouteName>;
  /** The received attributes, and those that policies made of them. */
  readonly attributes: Set<Attributes>;
}

/** @param paths all paths of one peer */
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
