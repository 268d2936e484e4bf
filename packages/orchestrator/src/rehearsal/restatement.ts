// How what is gone from a log is made up for: a compaction states every row again, an erasure what a replay would else get
// wrong. And what of it stays unknown.

import type { DecodedEntry } from "../log/entry.ts";
import type { Verdict } from "../pipeline/decide.ts";
import { type EffectRow, effectTable, holdTable, pipelineTable } from "../pipeline/kernel-tables.ts";
import type { Trace } from "../pipeline/recorder.ts";
import type { Composition } from "../plugin/composition.ts";
import { type Blobs, partOf, type RecordedRow } from "./recorded-rows.ts";

/**
 * Whether an entry's rows are all that there are: those of a compaction, so that whoever replays what is kept need not know what
 * is gone. One that found nothing to forget states none; and there is no state without the row of its composition.
 */
export function restates(
  { message, verdict }: Pick<DecodedEntry["header"], "message" | "verdict">,
  rows: readonly RecordedRow[],
): boolean {
  return message === "log.compact" && verdict === "done" && rows.some(([table]) => table === pipelineTable.name);
}

/**
 * The rows as they were before a compaction: it states them first, and then what it wrote itself. Where it cannot be told
 * whether a row is the one or the other, nobody is sure of it.
 */
export async function statedBefore(
  log: Blobs,
  entry: DecodedEntry,
  rows: readonly RecordedRow[],
  { ownerOf }: Pick<Composition, "ownerOf">,
): Promise<{ readonly stated: readonly RecordedRow[]; readonly unsure: readonly RecordedRow[] }> {
  const first = new Map<string, RecordedRow>();
  const again = new Set<string>();
  for (const row of rows) {
    const name = JSON.stringify([row[0], row[1]]);
    if (first.has(name)) again.add(name);
    else first.set(name, row);
  }
  const wrote = new Map(verdictsOf(await traceOf(log, entry)).map((verdict) => [verdict.plugin, verdict.wrote ?? 0]));
  const rewritten = Map.groupBy(again, (name) => ownerOf((first.get(name) as RecordedRow)[0]));
  const stated: RecordedRow[] = [];
  const unsure: RecordedRow[] = [];
  for (const [name, row] of first) {
    const [table] = row;
    // What the compaction owes is its own.
    if (table === effectTable.name && (row[2] as EffectRow | undefined)?.seq === entry.seq) continue;
    const owner = ownerOf(table);
    const unseen = (wrote.get(owner ?? "") ?? 0) - (rewritten.get(owner)?.length ?? 0);
    (unseen > 0 && !again.has(name) ? unsure : stated).push(row);
  }
  return { stated, unsure };
}

/**
 * The entry that this one erased a part of, if it did. Rows are erased only once they are not in force any more, and what a
 * replay without them would get wrong is stated again by the erasure.
 */
export async function erasedBy(log: Blobs, entry: DecodedEntry): Promise<number | undefined> {
  const { message, verdict } = entry.header;
  if (message !== "log.redact" || verdict !== "done") return undefined;
  return ((await traceOf(log, entry))?.data as { readonly entry?: number } | undefined)?.entry;
}

/** The tables of this composition that an entry may have written to whose rows were erased: its trace says which plugins wrote. */
export async function writtenBy(log: Blobs, entry: DecodedEntry, { tables, ownerOf }: Composition): Promise<string[]> {
  const trace = await traceOf(log, entry);
  const wrote = new Set(verdictsOf(trace).flatMap(({ plugin, wrote }) => (wrote === undefined ? [] : [plugin])));
  const { message, verdict } = entry.header;
  // Any message may owe something, or be what came of it.
  const kernels = new Set<string>([effectTable.name]);
  const settles = trace?.settles !== undefined;
  if (verdict === "held" || message === "message.settle" || settles) kernels.add(holdTable.name);
  return tables
    .map(({ name }) => name)
    .filter((name) => trace === undefined || kernels.has(name) || wrote.has(ownerOf(name) as string));
}

async function traceOf(log: Blobs, entry: DecodedEntry): Promise<Trace | undefined> {
  return (await partOf(log, entry, "t")) as Trace | undefined;
}

/** What was said of the message, and of the outcome that stands in its entry. */
function verdictsOf(trace: Trace | undefined): readonly Verdict[] {
  return [...(trace?.verdicts ?? []), ...(trace?.outcome?.verdicts ?? [])];
}
