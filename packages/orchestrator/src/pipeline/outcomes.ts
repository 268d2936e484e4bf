// What came of a message, read from the log: for those who ask later, or after a restart.

import { fault } from "../fault/fault.ts";
import { type DecodedEntry, decodeEntry } from "../log/entry.ts";
import type { PartName } from "../log/part.ts";
import type { Reader } from "../plugin/reader.ts";
import { erasedBy } from "./erased-by.ts";
import { OUTCOME_TABLE } from "./kernel-tables.ts";
import type { Trace } from "./recorder.ts";
import type { Outcome } from "./waiters.ts";

/** How far behind its message an outcome is found by reading on; past it, its place is written down. */
export const OUTCOME_WINDOW = 900;

const FIRST_PAGE = 8;
/** How the line of a trace that is kept beside its entry begins. */
const TRACE_BESIDE = "\nT";

/** The entry of a message. */
export async function entryOf(reader: Reader, id: string): Promise<DecodedEntry | undefined> {
  const seq = await reader.find(id);
  if (seq === undefined) return undefined;
  return entryAt(reader, seq);
}

/** The entry of that number; `undefined` where it is not there, or was compacted away. */
export async function entryAt(reader: Reader, seq: number): Promise<DecodedEntry | undefined> {
  const [stored] = await reader.entries(seq, { limit: 1 });
  return stored?.seq === seq ? decodeEntry(stored) : undefined;
}

/** Where a message's outcome lies, and what it is; `undefined` where it is pending. */
export async function outcomeOf(
  reader: Reader,
  entry: DecodedEntry,
): Promise<{ readonly outcome: Outcome; readonly seq: number } | undefined> {
  const trace = (await reader.part(entry, "t")) as Trace | undefined;
  const { id } = entry.header;
  if (trace === undefined && entry.header.t !== undefined) return erased(reader, entry, "trace");
  if (trace?.error !== undefined) return { outcome: { kind: "failed", error: trace.error }, seq: entry.seq };
  if (trace?.outcome !== undefined) {
    const { error, data } = trace.outcome;
    if (error === undefined) return { outcome: { kind: "done", data }, seq: entry.seq };
    // It failed at once, and may have been retried since: then a row says which entry settled it.
    const again = (await reader.cold(OUTCOME_TABLE, id)) === undefined ? undefined : await settled(reader, entry);
    return again ?? { outcome: { kind: "failed", error }, seq: entry.seq };
  }
  if (trace?.pending !== true) return { outcome: { kind: "done", data: trace?.data }, seq: entry.seq };
  return settled(reader, entry);
}

async function settled(reader: Reader, entry: DecodedEntry): ReturnType<typeof outcomeOf> {
  const { id } = entry.header;
  const settling = await settlingEntry(reader, entry);
  if (settling === undefined) return undefined;
  const trace = (await reader.part(settling, "t")) as Trace | undefined;
  if (trace === undefined && settling.header.t !== undefined) return erased(reader, settling, "trace");
  // A held message that was decided again: its outcome is that one's.
  if (trace?.continues === id) return outcomeOf(reader, settling);
  const settlement = trace?.settles?.find((one) => one.id === id);
  if (settlement === undefined) return undefined;
  if (settlement.error !== undefined)
    return { outcome: { kind: "failed", error: settlement.error }, seq: settling.seq };
  if (settlement.data !== undefined) return { outcome: { kind: "done", data: settlement.data }, seq: settling.seq };
  const body = (await reader.part(settling, "b")) as { data?: unknown } | undefined;
  if (body === undefined) return erased(reader, settling, "body");
  return { outcome: { kind: "done", data: body.data }, seq: settling.seq };
}

/** How often one message is followed from hold to hold. */
const MOST_HOLDS = 16;

/** The message that was decided in the end, where one was held and settled: its own id, or what it was decided again as. */
export async function decidedAs(reader: Reader, id: string): Promise<string> {
  for (let holds = 0; holds < MOST_HOLDS; holds++) {
    const entry = await entryOf(reader, id);
    if (entry?.header.verdict !== "held") return id;
    const settling = await settlingEntry(reader, entry);
    const trace = settling && ((await reader.part(settling, "t")) as Trace | undefined);
    if (settling === undefined || trace?.continues !== id) return id;
    id = settling.header.id;
  }
  return id;
}

/** Its outcome was erased: the answer can say only that. */
function erased(reader: Reader, { seq }: DecodedEntry, part: PartName) {
  const by = erasedBy(reader, seq)?.[part];
  const text = `what came of it stood in entry ${seq}, whose ${part} was erased${by === undefined ? "" : ` by entry ${by}`}`;
  return { outcome: { kind: "failed" as const, error: fault("PART_ERASED", text, { entry: seq, by }) }, seq };
}

/** The entry that settled a message last, or decided a held one again. */
export async function settlingEntry(reader: Reader, entry: DecodedEntry): Promise<DecodedEntry | undefined> {
  const { id } = entry.header;
  const written = await reader.cold(OUTCOME_TABLE, id);
  if (written !== undefined) return entryAt(reader, Number(written));
  const quoted = JSON.stringify(id);
  const end = entry.seq + OUTCOME_WINDOW;
  // Most outcomes follow closely: the first page is small, and pages grow.
  let limit = FIRST_PAGE;
  for (let from = entry.seq + 1; from <= end; limit *= 4) {
    const page = await reader.entries(from, { limit: Math.min(limit, end - from + 1) });
    for (const stored of page) {
      // Most entries have nothing to do with it, and are not worth parsing.
      if (!stored.text.includes(quoted) && !stored.text.includes(TRACE_BESIDE)) continue;
      const candidate = decodeEntry(stored);
      const trace = (await reader.part(candidate, "t")) as Trace | undefined;
      if (trace?.continues === id || trace?.settles?.some((one) => one.id === id)) return candidate;
    }
    const last = page.at(-1);
    if (last === undefined) return undefined;
    from = last.seq + 1;
  }
  return undefined;
}
