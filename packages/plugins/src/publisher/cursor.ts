// Cursors: where in which log. `<entry>.<log>`: everything up to that entry is behind it. A restore takes entries away, and others get
// their numbers: where one that is there now came after a restore, the cursor ends in the start that the restore began,
// `<entry>.<log>.<start>`, and one of before that is told from it (docs/adr/0036).

import { type Fault, fault, printable, type Reader } from "@capstan/orchestrator";

/** So many digits are a number that is exact. */
const CURSOR = /^(0|[1-9]\d{0,14})\.(l-[0-9A-Za-z]{1,40})(?:\.([1-9]\d{0,14}))?$/;

export interface Place {
  readonly entry: number;
  readonly log: string;
  /** The start that the last restore before the entry began; 0 where there was none. */
  readonly start: number;
}

/** A log, as far as its cursors tell of it. */
export interface CursorLog {
  readonly log: string;
  readonly restorations: readonly { readonly epoch: number; readonly size: number }[];
}

type Reads = Pick<Reader, "revision" | "first"> & { readonly proofs: CursorLog };

/** Where a cursor stands, of whatever log it is. */
export function placeOf(text: string): Place | undefined {
  const [, entry, log = "", start = 0] = CURSOR.exec(text) ?? [];
  return entry === undefined ? undefined : { entry: Number(entry), log, start: Number(start) };
}

export function cursorAt(entry: number, { log, restorations }: CursorLog): string {
  const last = restorations.findLast(({ size }) => size < entry);
  return last === undefined ? `${entry}.${log}` : `${entry}.${log}.${last.epoch}`;
}

/**
 * The same place, as of after every restore: for who comes from elsewhere. Whoever relays the log, and has of before the last restore what
 * stood behind the place then, has nothing for who comes by this cursor (peer-propagation/topics/ring.ts).
 */
export function cursorSince(entry: number, { log, restorations }: CursorLog): string {
  const last = restorations.at(-1);
  return last === undefined ? `${entry}.${log}` : `${entry}.${log}.${last.epoch}`;
}

/** The entry that a cursor of this log stands at; or why nobody can read on from there. */
export function entryOfCursor(text: string, reader: Reads): number | Fault {
  const place = placeOf(text);
  if (place === undefined) {
    const text_ = `"${printable(text.slice(0, 80))}" is no cursor; one is <entry>.<log>, as subscription.read answers it`;
    return fault("CURSOR_INVALID", text_);
  }
  const { entry } = place;
  const { log } = reader.proofs;
  if (place.log !== log) {
    return fault(
      "CURSOR_FOREIGN",
      `the cursor is of the log ${place.log}, and this is ${log}; start anew, or ask that node`,
    );
  }
  return restoredSince(place, reader) ?? future(entry, reader) ?? goneBefore(entry, reader) ?? entry;
}

/** Why it is not the entry any more that the cursor was made at. */
function restoredSince({ entry, start }: Place, { revision, proofs }: Reads): Fault | undefined {
  const { restorations } = proofs;
  const since = restorations.filter(({ epoch, size }) => epoch > start && size < entry).map(({ size }) => size);
  const head = cursorAt(revision, proofs);
  if (since.length > 0) {
    const size = Math.min(...since);
    const kept = cursorSince(size, proofs);
    const text = `the log was restored since the cursor was at entry ${entry}, and of what it had then the first ${size} entries are left; read on from ${kept}`;
    return fault("CURSOR_FUTURE", text, { head, kept });
  }
  if (start === 0 || restorations.some(({ epoch }) => epoch === start)) return undefined;
  return fault("CURSOR_FUTURE", `the cursor is of after a restore that this log knows nothing of`, { head });
}

function future(entry: number, { revision, proofs }: Reads): Fault | undefined {
  if (entry <= revision) return undefined;
  const text = `the cursor is at entry ${entry}, and the log ends at ${revision}`;
  return fault("CURSOR_FUTURE", text, { head: cursorAt(revision, proofs) });
}

/** Why what comes after an entry cannot be read any more; `undefined` where it can. */
export function goneBefore(entry: number, { first, proofs }: Pick<Reads, "first" | "proofs">): Fault | undefined {
  if (entry + 1 >= first) return undefined;
  const text = `entries before ${first} were compacted away, and the cursor is at ${entry}; read from "start", which has a gap`;
  return fault("CURSOR_GONE", text, { first: cursorAt(first - 1, proofs) });
}
