// The tables of a damaged log, in memory: the stored rows if all checksums fit, or else recomputed from the entries if these are
// complete. Otherwise no table is served, because a missing row could be a revocation.

import type { Database } from "bun:sqlite";
import { decodeEntry } from "../../entry.ts";
import { unsortable } from "../../key-order.ts";
import type { StoredEntry } from "../../log.ts";
import { MemoryTable } from "../../memory/memory-table.ts";
import type { Examination } from "./examination.ts";

export type MemoryTables = ReadonlyMap<string, MemoryTable>;

/** The stored rows; the caller has checked them against their sums. */
export function storedTables(db: Database): MemoryTables {
  const tables = new Map<string, MemoryTable>();
  using all = db.prepare<{ tbl: string; key: string; json: string }, []>("SELECT tbl, key, json FROM row");
  for (const { tbl, key, json } of all.iterate()) tableOf(tables, tbl).change(unsortable(key), json);
  return tables;
}

/** The rows that the entries wrote, replayed from the first entry. `undefined` where a rows part is gone. */
export function replayedTables(
  entries: Iterable<StoredEntry>,
  blob: (name: string) => string | undefined,
): MemoryTables | undefined {
  const tables = new Map<string, MemoryTable>();
  for (const entry of entries) {
    const part = decodeEntry(entry).stored("r");
    if (part === undefined) continue;
    const json = part.kind === "inline" ? part.json : part.kind === "blob" ? blob(part.name) : undefined;
    if (json === undefined) return undefined;
    for (const [table, key, ...row] of JSON.parse(json) as [string, string, unknown?][]) {
      tableOf(tables, table).change(key, row.length === 0 ? undefined : JSON.stringify(row[0]));
    }
  }
  return tables;
}

/** Whether all entries from 1 on are intact, so that the tables can be recomputed from them. */
export function canReplay({ entries, readable }: Examination, first: number): boolean {
  return entries.length === 0 && readable && first === 1;
}

function tableOf(tables: Map<string, MemoryTable>, name: string): MemoryTable {
  let table = tables.get(name);
  if (table === undefined) {
    table = new MemoryTable();
    tables.set(name, table);
  }
  return table;
}
