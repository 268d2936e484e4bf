// The state as history left it: rows rebuilt from what the entries recorded, one entry after another. It also knows which rows
// it does not know, because the entries that wrote them are compacted away or erased. It decides nothing.

import { deepFreeze } from "../message/message.ts";
import { COLD_TABLES } from "../state/table.ts";
import type { RecordedRow } from "./recorded-rows.ts";

const COLD: ReadonlySet<string> = new Set(COLD_TABLES);

/** Stands for the entries before the first: what they wrote was never replayed. */
const BEFORE_THE_FIRST = 0;

class ReplayedTable {
  readonly rows = new Map<string, unknown>();
  /** Keys whose row is another than it is now, and nobody knows which. */
  readonly #doubted = new Set<string>();
  /** Entries that may have written any row, and nobody knows which and what. */
  readonly #lostBy = new Set<number>();
  /** Keys that were written since the last of those. */
  readonly #learned = new Set<string>();

  /** Whether every row is known. */
  get whole(): boolean {
    return this.#lostBy.size + this.#doubted.size === 0;
  }

  knows(key: string): boolean {
    return !this.#doubted.has(key) && (this.#lostBy.size === 0 || this.#learned.has(key));
  }

  /** Written by an entry: known from here on. */
  learn(key: string): void {
    this.#doubted.delete(key);
    if (this.#lostBy.size > 0) this.#learned.add(key);
  }

  doubt(key: string): void {
    this.#doubted.add(key);
  }

  lose(by: number): void {
    this.#lostBy.add(by);
    this.#learned.clear();
  }

  recover(by: number): void {
    this.#lostBy.delete(by);
    if (this.#lostBy.size === 0) this.#learned.clear();
  }
}

export class ReplayedRows {
  readonly #tables = new Map<string, ReplayedTable>();
  /** Nothing is known of tables that no entry has written to yet. */
  #nothing = false;

  /** Nothing is known but what is written from here on. */
  loseEverything(): void {
    this.#nothing = true;
    for (const table of this.#tables.values()) table.lose(BEFORE_THE_FIRST);
  }

  /** What entry `by` wrote to the table cannot be known. */
  lose(table: string, by: number): void {
    this.#table(table).lose(by);
  }

  /** Whatever entry `by` wrote has been written over since, or was stated again. */
  recover(by: number): void {
    for (const table of this.#tables.values()) table.recover(by);
  }

  /** The row is another than it was, and nobody knows which. */
  doubt(table: string, key: string): void {
    this.#table(table).doubt(key);
  }

  /** Rows that an entry wrote. */
  apply(rows: readonly RecordedRow[]): void {
    for (const row of rows) {
      const [name, key] = row;
      if (COLD.has(name)) continue;
      const table = this.#table(name);
      table.learn(key);
      if (row.length === 2) table.rows.delete(key);
      else table.rows.set(key, row[2]);
    }
  }

  /** Rows that are all there are: whatever was not known is now. */
  restate(rows: readonly RecordedRow[]): void {
    this.#tables.clear();
    this.#nothing = false;
    this.apply(rows);
  }

  knows(table: string, key: string): boolean {
    return this.#tables.get(table)?.knows(key) ?? !this.#nothing;
  }

  knowsAll(table: string): boolean {
    return this.#tables.get(table)?.whole ?? !this.#nothing;
  }

  get whole(): boolean {
    return !this.#nothing && [...this.#tables.values()].every((table) => table.whole);
  }

  /** Frozen, as everything is that a plugin is given. */
  get(table: string, key: string): unknown {
    return deepFreeze(this.#tables.get(table)?.rows.get(key));
  }

  *rows(table: string): Iterable<readonly [string, unknown]> {
    for (const [key, row] of this.#tables.get(table)?.rows ?? []) yield [key, deepFreeze(row)];
  }

  #table(name: string): ReplayedTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = new ReplayedTable();
    if (this.#nothing) table.lose(BEFORE_THE_FIRST);
    this.#tables.set(name, table);
    return table;
  }
}
