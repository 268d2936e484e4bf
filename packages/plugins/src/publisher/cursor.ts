// Cursors: where in which log. `<entry>.<log id>`: everything up to that entry is behind it.

import { type Fault, fault, printable, type Reader } from "@capstan/orchestrator";

/** So many digits are a number that is exact. */
const CURSOR = /^(0|[1-9]\d{0,14})\.(l-[0-9A-Za-z]{1,40})$/;

export interface Place {
  readonly entry: number;
  readonly log: string;
}

/** Where a cursor stands, of whatever log it is. */
export function placeOf(text: string): Place | undefined {
  const parts = CURSOR.exec(text);
  return parts === null ? undefined : { entry: Number(parts[1]), log: parts[2] as string };
}

export function cursorAt(entry: number, log: string): string {
  return `${entry}.${log}`;
}

/** The entry that a cursor of this log stands at; or why nobody can read on from there. */
export function entryOfCursor(text: string, reader: Pick<Reader, "revision" | "first" | "proofs">): number | Fault {
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
  if (entry > reader.revision) {
    return fault("CURSOR_FUTURE", `the cursor is at entry ${entry}, and the log ends at ${reader.revision}`, {
      head: cursorAt(reader.revision, log),
    });
  }
  return goneBefore(entry, reader) ?? entry;
}

/** Why what comes after an entry cannot be read any more; `undefined` where it can. */
export function goneBefore(entry: number, { first, proofs }: Pick<Reader, "first" | "proofs">): Fault | undefined {
  if (entry + 1 >= first) return undefined;
  const text = `entries before ${first} were compacted away, and the cursor is at ${entry}; read from "start", which has a gap`;
  return fault("CURSOR_GONE", text, { first: cursorAt(first - 1, proofs.log) });
}
