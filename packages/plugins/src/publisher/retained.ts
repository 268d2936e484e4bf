// What of the log the publisher still needs: everything after the cursor that is furthest behind.

import type { Reader } from "@capstan/orchestrator";
import { cursorTable, subscriptionTable } from "./schema.ts";

export function oldestCursor(reader: Reader) {
  let oldest: { readonly id: string; readonly entry: number } | undefined;
  for (const [id, entry] of reader.rows(cursorTable)) {
    if (oldest === undefined || entry < oldest.entry) oldest = { id, entry };
  }
  if (oldest === undefined) return undefined;
  const { id, entry } = oldest;
  const topic = reader.get(subscriptionTable, id)?.topic ?? "nothing";
  return { entry: entry + 1, why: `subscription ${id}, of ${topic}, is at entry ${entry}: acknowledge or delete it` };
}
