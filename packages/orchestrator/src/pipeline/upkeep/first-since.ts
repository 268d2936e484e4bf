// Where a moment lies in the log. Times never run backwards along it, so that halving finds it.

import { decodeEntry } from "../../log/entry.ts";
import type { Reader } from "../../plugin/reader.ts";

/** The oldest entry that is kept and not from before `at`; one past the last where there is none. */
export async function firstSince(reader: Pick<Reader, "first" | "revision" | "entries">, at: number): Promise<number> {
  let low = reader.first;
  let high = reader.revision + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [stored] = await reader.entries(middle, { limit: 1 });
    // Gone since: what is kept is later.
    if (stored === undefined || decodeEntry(stored).header.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
