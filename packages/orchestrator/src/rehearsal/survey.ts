// A first look over a log that is to be replayed: which tables there are, and, where its beginning was compacted away, what can
// be known of the state before the oldest entry that is kept.

import { decodeEntry } from "../log/entry.ts";
import type { Log } from "../log/log.ts";
import type { Composition } from "../plugin/composition.ts";
import { COLD_TABLES } from "../state/table.ts";
import { rowsOf } from "./recorded-rows.ts";
import { ReplayedRows } from "./replayed-rows.ts";
import { restates, statedBefore, writtenBy } from "./restatement.ts";

/** What a rehearsal needs of a log: reads only. */
export type History = Pick<Log, "first" | "head" | "read" | "rows" | "blob">;

export interface Survey {
  /** Of whichever rows were written; those that no decision reads are left out. */
  readonly tables: readonly string[];
  /** As far as it is known, before the first entry. */
  readonly before: ReplayedRows;
}

export async function survey(log: History, composition: Composition): Promise<Survey> {
  const tables = new Set<string>();
  const touched = new Map<string, readonly [table: string, key: string]>();
  const lost: (readonly [table: string, by: number])[] = [];
  const before = new ReplayedRows();
  // From 1 on, everything is known: there was nothing.
  let open = log.first > 1;
  if (open) before.loseEverything();
  for await (const stored of entriesOf(log, log.first, log.head)) {
    const entry = decodeEntry(stored);
    const rows = await rowsOf(log, entry);
    for (const [table] of rows ?? []) tables.add(table);
    if (!open) continue;
    if (rows === undefined) {
      for (const table of await writtenBy(log, entry, composition)) lost.push([table, stored.seq]);
    } else if (restates(entry.header, rows)) {
      open = false;
      const { stated, unsure } = await statedBefore(log, entry, rows, composition);
      before.restate(stated);
      for (const [table, key] of [...touched.values(), ...unsure]) before.doubt(table, key);
      for (const [table, by] of lost) before.lose(table, by);
    } else {
      for (const [table, key] of rows) touched.set(JSON.stringify([table, key]), [table, key]);
    }
  }
  for (const cold of COLD_TABLES) tables.delete(cold);
  return { tables: [...tables], before };
}

/** Page by page: a log may be larger than memory. */
export async function* entriesOf(log: Pick<Log, "read">, from: number, to: number) {
  for (let next = from; next <= to; ) {
    const page = await log.read(next, { limit: Math.min(1000, to - next + 1) });
    if (page.length === 0) return;
    yield* page;
    next = (page.at(-1)?.seq ?? to) + 1;
  }
}
