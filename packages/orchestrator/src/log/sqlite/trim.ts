// Chooses what one slice of a trim removes: whole groups, the oldest first, and no entry that the tree's last tile still
// needs. If the trim ends inside a group, the whole group is kept.

import type { TrimmedRow } from "../log.ts";
import { TILE_WIDTH } from "../tree/merkle-tile.ts";
import type { StoredGroup } from "./statements.ts";

/** A slice blocks the process for about ten milliseconds. */
const SLICE_BYTES = 2 * 2 ** 20;
const SLICE_GROUPS = 500;

export interface Slice {
  readonly groups: readonly StoredGroup[];
  /** The oldest entry that is kept afterwards. */
  readonly first: number;
  /** Whether there is nothing left to remove after it. */
  readonly last: boolean;
}

/** @param groups gives the group that holds an entry */
export function nextSlice(
  groups: { stored(seq: number): StoredGroup },
  first: number,
  before: number,
  head: number,
): Slice {
  const removed: StoredGroup[] = [];
  let kept = first;
  let bytes = 0;
  const end = Math.min(before, trimmable(head));
  while (kept < end) {
    if (bytes >= SLICE_BYTES || removed.length >= SLICE_GROUPS) return { groups: removed, first: kept, last: false };
    const group = groups.stored(kept);
    if (group.first + group.n > end) break;
    removed.push(group);
    bytes += group.body.length;
    kept = group.first + group.n;
  }
  return { groups: removed, first: kept, last: true };
}

/** The rows to remove when `first` is the oldest kept entry. */
export function goingWith(first: number, rows: readonly TrimmedRow[]): readonly TrimmedRow[] {
  return rows.filter(({ entry }) => entry === undefined || entry < first);
}

/**
 * The oldest entry that a trim must keep. An opening recomputes the tree's incomplete last tile from its entries' headers;
 * if the last tile is just complete, its entries are kept as well, so that a log with a head always has a group.
 */
export function trimmable(head: number): number {
  return Math.floor(Math.max(head - 1, 0) / TILE_WIDTH) * TILE_WIDTH + 1;
}
