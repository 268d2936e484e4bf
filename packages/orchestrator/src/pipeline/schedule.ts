// The default of `OrchestratorOptions.schedule`: when decided entries are appended.

import type { Schedule } from "./committer.ts";

/** How long an entry that nobody waits for is kept back, to go with one that somebody waits for. */
const GATHER_MS = 5;
/** With so many entries a flush costs next to nothing for each: waiting for more would only delay them. */
const ENOUGH = 128;

/**
 * Appends at the first turn of the event loop that brings no further entry, or at `ENOUGH` entries: for a lone call, at the next turn. A turn
 * that brings entries is mostly followed by another such turn, and a flush costs as much as dozens of entries.
 */
export const appendLater: Schedule = (flush, gathering, pending) => {
  if (gathering) setTimeout(flush, GATHER_MS);
  else if (pending === undefined) setImmediate(flush);
  else appendAfter(pending(), flush, pending);
};

function appendAfter(before: number, flush: () => void, pending: () => number): void {
  setImmediate(() => {
    const now = pending();
    if (now > before && now < ENOUGH) appendAfter(now, flush, pending);
    else flush();
  });
}
