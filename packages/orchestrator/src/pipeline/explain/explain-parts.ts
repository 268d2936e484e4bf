// The parts of an entry as explanations read them, wherever they are kept; and which of them were erased.

import type { DecodedEntry } from "../../log/entry.ts";
import type { Part } from "../../log/part.ts";
import type { Reader } from "../../plugin/reader.ts";
import type { Verdict } from "../decide.ts";
import type { Body, Trace } from "../recorder.ts";

/** `[table, key, row]`, or `[table, key]` where the row was removed. */
export type Row = readonly [string, string, unknown?];

export type ErasedPart = "body" | "facts" | "rows" | "trace";

export interface Parts {
  readonly body: Body | undefined;
  readonly rows: readonly Row[];
  readonly trace: Trace | undefined;
  readonly erased: readonly ErasedPart[];
}

const NAMES: readonly (readonly [Part, ErasedPart])[] = [
  ["b", "body"],
  ["f", "facts"],
  ["r", "rows"],
  ["t", "trace"],
];

export async function partsOf(reader: Reader, entry: DecodedEntry): Promise<Parts> {
  const values = new Map<ErasedPart, unknown>();
  const erased: ErasedPart[] = [];
  for (const [part, name] of NAMES) {
    const stored = entry.stored(part);
    // Facts may be large, and nothing of them is told.
    const value = stored === undefined || name === "facts" ? undefined : await reader.part(entry, part);
    const gone = stored !== undefined && name !== "facts" && value === undefined;
    if (gone || stored?.kind === "erased") erased.push(name);
    values.set(name, value);
  }
  return {
    body: values.get("body") as Body | undefined,
    rows: (values.get("rows") ?? []) as readonly Row[],
    trace: values.get("trace") as Trace | undefined,
    erased,
  };
}

/** The reason that was given by whom the message was for: it wrote what came of it. */
export function clauseOf(verdicts: readonly Verdict[]): string | undefined {
  return verdicts.findLast(({ clause, wrote }) => clause !== undefined && wrote !== undefined)?.clause;
}
