// The result of an update, counted while it is processed.

import type { Received } from "../rib/outcome.ts";
import type { Path } from "../rib/path.ts";

/** The most faults of one update that are reported one by one. */
const MOST_COMPLAINTS = 16;
const OTHER_COMPLAINTS = "and in other announcements of the same update";

export type Tally = { -readonly [Field in keyof Received]: Received[Field] } & {
  malformed: { routes: number; text: string }[];
};

export function emptyTally(): Tally {
  return { accepted: 0, filtered: 0, withdrawn: 0, refused: 0, malformed: [], limit: undefined };
}

/** Counts an accepted or filtered route. */
export function count(tally: Tally, { filtered }: Path): void {
  if (filtered === undefined) tally.accepted += 1;
  else tally.filtered += 1;
}

/** Adds a fault. Only the first are reported with their text: an update may have thousands, and each would be an event. */
export function complain({ malformed }: Tally, routes: number, text: string): void {
  if (malformed.length < MOST_COMPLAINTS) {
    malformed.push({ routes, text });
    return;
  }
  const others = malformed[MOST_COMPLAINTS];
  if (others === undefined) malformed.push({ routes, text: OTHER_COMPLAINTS });
  else malformed[MOST_COMPLAINTS] = { routes: others.routes + routes, text: OTHER_COMPLAINTS };
}
