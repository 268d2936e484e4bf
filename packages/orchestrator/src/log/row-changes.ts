// What a group changes in the tables, after its entries wrote the same rows again and again: the last write of a row is the
// only one that the storage sees.

import type { NewEntry } from "./log.ts";

/** table → key → its JSON, `undefined` where the group leaves a row removed that was there before it. */
export type RowChanges = ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;

export function coalesce(entries: readonly NewEntry[]): RowChanges {
  const tables = new Map<string, Map<string, string | undefined>>();
  const born = new Set<string>();
  for (const entry of entries) {
    for (const { table, key, json, fresh } of entry.rows) {
      let rows = tables.get(table);
      if (rows === undefined) {
        rows = new Map();
        tables.set(table, rows);
      }
      if (json !== undefined) {
        if (fresh && !rows.has(key)) born.add(`${table}/${key}`);
        rows.set(key, json);
      } else if (born.delete(`${table}/${key}`)) {
        rows.delete(key);
      } else {
        rows.set(key, undefined);
      }
    }
  }
  return tables;
}
