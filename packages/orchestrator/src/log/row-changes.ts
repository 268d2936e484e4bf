// What a group changes in the tables, after its entries wrote the same rows again and again: the last write of a row is the
// only one that the storage sees.

import type { NewEntry } from "./log.ts";

/** What a group leaves of a row. */
export interface Coalesced {
  /** `undefined` where the group leaves a row removed that was there before it. */
  json: string | undefined;
  /** Said to have been no row before the group. */
  readonly fresh: boolean;
}

/** table → key → what is left of it. */
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
