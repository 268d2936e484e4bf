// What entries say of rows, read back: `[table, key, row]`, or `[table, key]` where the row was removed. A part may lie in
// the entry, beside it, or be erased.

import type { DecodedEntry } from "../log/entry.ts";
import type { Awaitable, Log } from "../log/log.ts";
import type { Part } from "../log/part.ts";

export type RecordedRow = readonly [table: string, key: string, row?: unknown];

export type Blobs = Pick<Log, "blob">;

/** A part's value; `undefined` where it was erased, or never was. */
export function partOf(log: Blobs, entry: DecodedEntry, part: Part): Awaitable<unknown> {
  const stored = entry.stored(part);
  if (stored?.kind === "inline") return JSON.parse(stored.json) as unknown;
  if (stored?.kind !== "blob") return undefined;
  const text = log.blob(stored.name);
  return text instanceof Promise ? text.then(parsed) : parsed(text);
}

/** The rows that an entry changed; `undefined` where nobody knows any more. */
export function rowsOf(log: Blobs, entry: DecodedEntry): Awaitable<readonly RecordedRow[] | undefined> {
  if (entry.header.r === undefined) return NO_ROWS;
  return partOf(log, entry, "r") as Awaitable<readonly RecordedRow[] | undefined>;
}

const NO_ROWS: readonly RecordedRow[] = Object.freeze([]);

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}
