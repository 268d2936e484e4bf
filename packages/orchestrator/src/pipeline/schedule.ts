// When what was decided is appended, where nobody says otherwise (`OrchestratorOptions.schedule`).

import type { Schedule } from "./committer.ts";

/** How long an entry that nobody waits for waits for one that somebody does. */
const GATHER_MS = 5;
/** So many entries have their part of a flush for next to nothing: more of them would only wait for each other. */
const ENOUGH = 128;

/**
 * Once what has arrived by now is decided. A turn of the loop that brought more is mostly followed by one that does, and a flush costs as
 * much as dozens of entries: it waits for the first turn that brings none. Of a lone call that is the next.
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
