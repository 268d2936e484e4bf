// Which entries erased parts of an entry: for messages about a missing part.

import type { Reader } from "../plugin/reader.ts";
import { type ErasureRow, erasureTable, numberKey } from "./kernel-tables.ts";

/** By part: `{ body: 12 }`. `undefined` where nothing of the entry was erased. */
export function erasedBy(reader: Pick<Reader, "get">, entry: number): ErasureRow | undefined {
  return reader.get(erasureTable, numberKey(entry));
}
