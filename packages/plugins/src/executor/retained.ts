// What of the log the executor still needs: an execution that is not finished is shown, tried again and explained by the
// message that asked for it.

import { firstSince, type Reader, timeOfId } from "@capstan/orchestrator";
import { executionTable } from "./schema.ts";

export async function oldestOpen(reader: Reader) {
  let oldest: { readonly id: string; readonly message: string } | undefined;
  for (const [id, { message }] of reader.rows(executionTable)) {
    // Ids sort as they were made, and no entry is earlier than its message's id.
    if (oldest === undefined || message < oldest.message) oldest = { id, message };
  }
  if (oldest === undefined) return undefined;
  const entry = await firstSince(reader, timeOfId(oldest.message) ?? 0);
  return { entry, why: `${oldest.id} is not finished` };
}
