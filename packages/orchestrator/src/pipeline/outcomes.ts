// What came of a message, read from the log: for those who ask later, or after a restart.

import { type DecodedEntry, decodeEntry } from "../log/entry.ts";
import type { Reader } from "../plugin/plugin.ts";
import { OUTCOME_TABLE } from "./kernel-tables.ts";
import type { Trace } from "./recorder.ts";
import { OUTCOME_WINDOW } from "./tip.ts";
import type { Outcome } from "./waiters.ts";

const FIRST_PAGE = 8;

/** The entry of a message. */
export async function entryOf(reader: Reader, id: string): Promise<DecodedEntry | undefined> {
  const seq = await reader.find(id);
  if (seq === undefined) return undefined;
  return entryAt(reader, seq);
}

export async function entryAt(reader: Reader, seq: number): Promise<DecodedEntry | undefined> {
  const [stored] = await reader.entries(seq, { limit: 1 });
  return stored === undefined ? undefined : decodeEntry(stored);
}

/** Where a message's outcome lies, and what it is; `undefined` where it is pending. */
export async function outcomeOf(
  reader: Reader,
  entry: DecodedEntry,
): Promise<{ readonly outcome: Outcome; readonly seq: number } | undefined> {
  const trace = entry.part("t") as Trace | undefined;
  const { id } = entry.header;
  if (trace?.error !== undefined) return { outcome: { kind: "failed", error: trace.error }, seq: entry.seq };
  if (trace?.pending !== true) return { outcome: { kind: "done", data: trace?.data }, seq: entry.seq };
  const settling = await settlingEntry(reader, entry);
  if (settling === undefined) return undefined;
  const settled = settling.part("t") as Trace | undefined;
  // A held message that was decided again: its outcome is that one's.
  if (settled?.continues === id) return outcomeOf(reader, settling);
  const settlement = settled?.settles?.find((one) => one.id === id);
  if (settlement === undefined) return undefined;
  if (settlement.error !== undefined)
    return { outcome: { kind: "failed", error: settlement.error }, seq: settling.seq };
  const { data = (settling.part("b") as { data?: unknown } | undefined)?.data } = settlement;
  return { outcome: { kind: "done", data }, seq: settling.seq };
}

async function settlingEntry(reader: Reader, entry: DecodedEntry): Promise<DecodedEntry | undefined> {
  const { id } = entry.header;
  const written = await reader.cold(OUTCOME_TABLE, id);
  if (written !== undefined) return entryAt(reader, Number(written));
  const quoted = JSON.stringify(id);
  const end = entry.seq + OUTCOME_WINDOW;
  // Most outcomes stand close behind: pages grow, so that those cost little.
  let limit = FIRST_PAGE;
  for (let from = entry.seq + 1; from <= end; limit *= 4) {
    const page = await reader.entries(from, { limit: Math.min(limit, end - from + 1) });
    for (const stored of page) {
      // Most entries have nothing to do with it, and are not worth parsing.
      if (!stored.text.includes(quoted)) continue;
      const candidate = decodeEntry(stored);
      const trace = candidate.part("t") as Trace | undefined;
      if (trace?.continues === id || trace?.settles?.some((one) => one.id === id)) return candidate;
    }
    const last = page.at(-1);
    if (last === undefined) return undefined;
    from = last.seq + 1;
  }
  return undefined;
}
