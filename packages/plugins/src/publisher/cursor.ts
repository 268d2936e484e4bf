// Cursors: a place in a log, written `<entry>.<log>`. Everything up to that entry was read. After a restore other entries get the numbers of
// those that it took away. So the cursor of an entry that came after a restore also names the start that the restore began,
// `<entry>.<log>.<start>`, which tells it from a cursor of the lost entry (docs/adr/0036).

import { type Fault, fault, printable, type Reader } from "@capstan/orchestrator";

/** Up to 15 digits are exact as a JavaScript number. */
const CURSOR = /^(0|[1-9]\d{0,14})\.(l-[0-9A-Za-z]{1,40})(?:\.([1-9]\d{0,14}))?$/;

export interface Place {
  readonly entry: number;
  readonly log: string;
  /** The start that the last restore before the entry began; 0 where there was none. */
  readonly start: number;
}

/** What cursors need to know of their log. */
export interface CursorLog {
  readonly log: string;
  readonly restorations: readonly { readonly epoch: number; readonly size: number }[];
}

type Reads = Pick<Reader, "revision" | "first"> & { readonly proofs: CursorLog };

/** Parses a cursor of any log; `undefined` where the text is none. */
export function placeOf(text: string): Place | undefined {
  const [, entry, log = "", start = 0] = CURSOR.exec(text) ?? [];
  return entry === undefined ? undefined : { entry: Number(entry), log, start: Number(start) };
}

export function cursorAt(entry: number, { log, restorations }: CursorLog): string {
  const last = restorations.findLast(({ size }) => size < entry);
  return last === undefined ? `${entry}.${log}` : `${entry}.${log}.${last.epoch}`;
}

/**
 * The cursor of an entry for readers at other nodes: it always names the log's last restore. A node that relays the log may still have
 * publications from before that restore, and must not pass them on under this cursor (peer-propagation/topics/ring.ts).
 */
export function cursorSince(entry: number, { log, restorations }: CursorLog): string {
  const last = restorations.at(-1);
  return last === undefined ? `${entry}.${log}` : `${entry}.${log}.${last.epoch}`;
}

/**
 * The entry of a cursor of this log; or the fault for which nobody can read on from there.
 * @param also what else may be said in its place, for the fault's text
 */
export function entryOfCursor(text: string, reader: Reads, also = ""): number | Fault {
  const place = placeOf(text);
  if (place === undefined) {
    const text_ = `"${printable(text.slice(0, 80))}" is no cursor; one is ${also}<entry>.<log>, as subscription.read answers it`;
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

/** Why the entry at the cursor's place is no longer the one that it was made for; `undefined` where it is. */
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
