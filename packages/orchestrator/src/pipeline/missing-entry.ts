// Why the log has no entry of a message: it never was, or it is older than what is kept.

import { type Fault, fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { timeOfId } from "../message/id.ts";
import type { Reader } from "../plugin/reader.ts";
import { entryAt } from "./outcomes.ts";

/** HISTORY_GONE or MESSAGE_NOT_FOUND. */
export async function missingEntry(reader: Reader, id: string): Promise<Fault> {
  const shown = printable(id.slice(0, 80));
  const time = timeOfId(id);
  const oldest = reader.first > 1 && time !== undefined ? await entryAt(reader, reader.first) : undefined;
  // An entry is never earlier than its message's id.
  if (oldest === undefined || (time as number) > oldest.header.at)
    return fault("MESSAGE_NOT_FOUND", `no entry for "${shown}"; log.list has the ids`);
  const text = `"${shown}" is from before entry ${reader.first}, the oldest that is kept since the log was compacted`;
  return fault("HISTORY_GONE", text, { first: reader.first });
}
