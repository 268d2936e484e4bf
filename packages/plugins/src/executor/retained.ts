// The oldest entry that the executor still needs: that of the oldest unfinished execution's message, from which it is shown, retried and
// explained.

import { firstSince, type Reader, timeOfId } from "@capstan/orchestrator";
import { executionTable } from "./schema.ts";

export async function oldestOpen(reader: Reader) {
  let oldest: { readonly id: string; readonly message: string } | undefined;
  for (const [id, { message }] of reader.rows(executionTable)) {
    // Ids sort by time, and no entry is earlier than its message's id.
    if (oldest === undefined || message < oldest.message) oldest = { id, message };
  }
  if (oldest === undefined) return undefined;
  const entry = await firstSince(reader, timeOfId(oldest.message) ?? 0);
  return { entry, why: `${oldest.id} is not finished` };
}
