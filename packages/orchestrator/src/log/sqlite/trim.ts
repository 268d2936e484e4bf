// What one slice of a trim removes: whole groups from the oldest on, never a part of one, and never what the tree's last tile
// still needs. What is asked for inside a group so keeps that group's older entries too.

import type { TrimmedRow } from "../log.ts";
import { TILE_WIDTH } from "../tree/merkle-tile.ts";
import type { StoredGroup } from "./statements.ts";

/** A slice holds up everything else of the process for some ten milliseconds. */
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

/** The rows that go where `first` is the oldest entry that is kept. */
export function goingWith(first: number, rows: readonly TrimmedRow[]): readonly TrimmedRow[] {
  return rows.filter(({ entry }) => entry === undefined || entry < first);
}

/**
 * The oldest entry that is never removed. An opening makes the tree's last tile from the headers of its entries, so they stay;
 * where the last tile is just complete, the entries of that, so that a log with a head always has a group.
 */
export function trimmable(head: number): number {
  return Math.floor(Math.max(head - 1, 0) / TILE_WIDTH) * TILE_WIDTH + 1;
}
