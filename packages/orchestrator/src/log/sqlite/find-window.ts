// Where a log looks for an id without an index of ids: the time in the id bounds the groups that can hold it.

import { RANDOM_CHARACTERS, timeOfId } from "../../message/id.ts";
import type { NewEntry } from "../log.ts";

/**
 * Milliseconds by which an entry may be later than the id that it carries. A message gets its id on arrival and its entry
 * at its first commit; between them lie preparation (which times out well before this) and waiting for the group.
 */
export const FIND_WINDOW = 60_000;

/**
 * Milliseconds within which nearly every id of a group is of the group's time. Groups with an older one have an index of
 * their own, so that looking up one id passes a second of groups and not a minute of them. Migration 1 has this number.
 */
export const PROMPT = 1000;

/** The earliest time in the entries' ids: no id of before it is in the group, so that the group need not be read for one. */
export function bornOf(entries: readonly NewEntry[], at: number): number {
  let born = at;
  let before = "";
  for (const { id } of entries) {
    // Entries that follow each other are mostly of one millisecond.
    if (before !== "" && id.startsWith(before)) continue;
    const time = timeOfId(id);
    if (time === undefined) continue;
    born = Math.min(born, time);
    before = id.slice(0, -RANDOM_CHARACTERS);
  }
  return born;
}
