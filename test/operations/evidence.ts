// What a stopped node's log says came of messages, and whether it is what was logged: read from the file alone.

import { decodeEntry, StoppedLog, siblingId, type Trace, verificationText, verifyLogFile } from "@capstan/orchestrator";
import type { Acknowledged } from "./load.ts";

const READ_AT_ONCE = 1000;

/** Message id → the entry that has its outcome. */
export type Outcomes = ReadonlyMap<string, number>;

export function outcomesIn(path: string): Outcomes {
  using log = new StoppedLog(path);
  const outcomes = new Map<string, number>();
  for (let from = log.first; from <= log.head; from += READ_AT_ONCE) {
    for (const stored of log.read(from, { limit: READ_AT_ONCE })) {
      const entry = decodeEntry(stored);
      const trace = entry.stored("t")?.kind === "inline" ? (entry.part("t") as Trace) : undefined;
      if (trace?.outcome !== undefined && trace.outcome.error === undefined) outcomes.set(entry.header.id, stored.seq);
      for (const { id, error } of trace?.settles ?? []) if (error === undefined) outcomes.set(id, stored.seq);
    }
  }
  return outcomes;
}

/** The entry of what was acknowledged; `undefined` where the log knows nothing of it. */
export function entryOf({ execution }: Acknowledged, outcomes: Outcomes): number | undefined {
  return outcomes.get(siblingId(execution, "m"));
}

/** What was acknowledged and is not in the log. */
export function lost(acknowledged: readonly Acknowledged[], outcomes: Outcomes): string[] {
  return acknowledged.filter((one) => entryOf(one, outcomes) === undefined).map(({ key }) => key);
}

/** @throws where the log, its tables, its tree or its checkpoint is not what it should be */
export async function verified(path: string, keys?: readonly string[]) {
  const result = await verifyLogFile(path, { keys });
  if (!result.valid || result.unproved > 0) throw new Error(verificationText(result));
  return result;
}
