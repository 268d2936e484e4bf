// The net changes of a group of entries, which may write the same row many times: the storage sees only the last write of each row.

import type { NewEntry } from "./log.ts";

/** The net change of a row. */
export interface Coalesced {
  /** `undefined` where the row was there before the group, and is removed by it. */
  json: string | undefined;
  /** Whether there was no such row before the group, as its first change says. */
  readonly fresh: boolean;
}

/** table → key → net change. */
export type RowChanges = ReadonlyMap<string, ReadonlyMap<string, Coalesced>>;

export function coalesce(entries: readonly NewEntry[]): RowChanges {
  const tables = new Map<string, Map<string, Coalesced>>();
  for (const entry of entries) {
    for (const { table, key, json, fresh } of entry.rows) {
      let rows = tables.get(table);
      if (rows === undefined) {
        rows = new Map();
        tables.set(table, rows);
      }
      const known = rows.get(key);
      if (known === undefined) rows.set(key, { json, fresh: json !== undefined && fresh === true });
      else if (json === undefined && known.fresh) rows.delete(key);
      else known.json = json;
    }
  }
  return tables;
}
