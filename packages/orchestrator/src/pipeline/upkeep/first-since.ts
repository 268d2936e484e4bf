// Finds a time in the log by binary search: entries' times never run backwards.

import { decodeEntry } from "../../log/entry.ts";
import type { Reader } from "../../plugin/reader.ts";

/** The oldest kept entry that is not older than `at` (milliseconds since the epoch); one past the last where there is none. */
export async function firstSince(reader: Pick<Reader, "first" | "revision" | "entries">, at: number): Promise<number> {
  let low = reader.first;
  let high = reader.revision + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [stored] = await reader.entries(middle, { limit: 1 });
    // The entry is gone: those that are kept are later.
    if (stored === undefined || decodeEntry(stored).header.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
