// Looking through the log from its end, for answers that come by pages. A page looks through a bounded number of entries, so
// that a filter that matches little costs many short pages and not one long stall: what ends a page is not the end of the log.

import type { Reader, StoredEntry } from "@capstan/orchestrator";

const MOST_LOOKED_THROUGH = 20_000;
const MOST_READ_AT_ONCE = 500;

/** Entries from `from` downwards, as many as one page may look through. `readFirst` is how many the first read asks for. */
export async function* scanBack(reader: Pick<Reader, "entries">, from: number, readFirst: number) {
  let left = MOST_LOOKED_THROUGH;
  // Most pages are full after a read or two: reads grow, so that those cost little.
  for (let at = from, limit = readFirst; at > 0 && left > 0; limit *= 4) {
    limit = Math.min(limit, MOST_READ_AT_ONCE, left);
    const entries: readonly StoredEntry[] = await reader.entries(at, { limit, reverse: true });
    const last = entries.at(-1);
    if (last === undefined) return;
    yield* entries;
    left -= entries.length;
    at = last.seq - 1;
  }
}
