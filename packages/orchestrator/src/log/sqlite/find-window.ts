// How a log finds an entry by its id without an index of ids: the time in the id bounds the groups that can hold it.

import { RANDOM_CHARACTERS, timeOfId } from "../../message/id.ts";
import type { NewEntry } from "../log.ts";

/**
 * The most milliseconds between the time in an entry's id and the entry's own time. A message gets its id on arrival and its entry
 * at its first commit; between them lie preparation (which times out well before this) and waiting for the group.
 */
export const FIND_WINDOW = 60_000;

/**
 * Nearly all ids of a group are at most so many milliseconds older than the group. Groups with an older id are in an index of
 * their own, so that a lookup scans one second of groups and not a minute. Migration 1 contains this number.
 */
export const PROMPT = 1000;

/** The earliest time in the ids of a group's entries: a lookup of an earlier id skips the group. */
export function bornOf(entries: readonly NewEntry[], at: number): number {
  let born = at;
  let before = "";
  for (const { id } of entries) {
    // Consecutive entries are mostly of the same millisecond.
    if (before !== "" && id.startsWith(before)) continue;
    const time = timeOfId(id);
    if (time === undefined) continue;
    born = Math.min(born, time);
    before = id.slice(0, -RANDOM_CHARACTERS);
  }
  return born;
}
