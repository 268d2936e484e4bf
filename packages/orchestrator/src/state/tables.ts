// The one mutable place: every table's rows as of the tip, with a journal that leads back to the durable head. Decisions
// are applied here before they are durable; if their append fails, the journal undoes them.

import { deepFreeze } from "../message/message.ts";
import { RowCounts } from "./row-counts.ts";
import type { BaseTables, Change } from "./state.ts";
import type { Table } from "./table.ts";

interface Undo {
  readonly seq: number;
  readonly rows: Map<string, unknown>;
  readonly key: string;
  readonly previous: unknown;
}

export class Tables implements BaseTables {
  readonly #tables = new Map<string, Map<string, unknown>>();
  readonly #versions = new Map<Map<string, unknown>, number>();
  /** Of the tables whose rows are counted. */
  readonly #counts = new Map<Map<string, unknown>, RowCounts>();
  #journal: Undo[] = [];

  constructor(tables: readonly Table[]) {
    for (const table of tables) {
      const rows = new Map<string, unknown>();
      this.#tables.set(table.name, rows);
      if (table.countedBy !== undefined) this.#counts.set(rows, new RowCounts(table.countedBy));
    }
  }

  get(table: Table, key: string): unknown {
    return this.#rowsOf(table.name).get(key);
  }

  rows(table: Table): Iterable<readonly [string, unknown]> {
    return this.#rowsOf(table.name);
  }

  count(table: Table, group?: string): number {
    const counts = this.#counts.get(this.#rowsOf(table.name));
    if (counts === undefined) throw new Error(`rows of "${table.name}" are not counted: it has no countedBy`);
    return counts.of(group);
  }

  /** Grows with every change of the table: two equal versions hold the same rows. */
  version(table: Table): number {
    return this.#versions.get(this.#rowsOf(table.name)) ?? 0;
  }

  size(table: Table): number {
    return this.#rowsOf(table.name).size;
  }

  /** Applies a decision's changes as those of entry `seq`. @param durable it is, and so nothing of them will be undone */
  apply(changes: readonly Change[], seq: number, durable = false): void {
    let changed: Map<string, unknown> | undefined;
    for (const { table, key, row } of changes) {
      const rows = this.#rowsOf(table.name);
      if (!durable) this.#journal.push({ seq, rows, key, previous: rows.get(key) });
      if (rows !== changed) this.#changed(rows);
      changed = rows;
      if (table.countedBy !== undefined) this.#counts.get(rows)?.changed(key, rows.get(key), row);
      if (row === undefined) rows.delete(key);
      else rows.set(key, row);
    }
  }

  /** What was applied up to `seq` is durable and need not be undone any more. */
  commit(seq: number): void {
    const journal = this.#journal;
    const last = journal[journal.length - 1];
    if (last === undefined || last.seq <= seq) {
      journal.length = 0;
      return;
    }
    let kept = 0;
    while ((journal[kept] as Undo).seq <= seq) kept++;
    journal.splice(0, kept);
  }

  /** Undoes everything that is not yet durable, newest first. */
  undo(): void {
    for (let undo = this.#journal.pop(); undo !== undefined; undo = this.#journal.pop()) {
      this.#changed(undo.rows);
      this.#counts.get(undo.rows)?.changed(undo.key, undo.rows.get(undo.key), undo.previous);
      if (undo.previous === undefined) undo.rows.delete(undo.key);
      else undo.rows.set(undo.key, undo.previous);
    }
  }

  /** Loads a row as it stands in the log: at start, before anything is decided. */
  load(table: string, key: string, row: unknown): void {
    const rows = this.#tables.get(table);
    if (rows === undefined) return;
    this.#counts.get(rows)?.changed(key, rows.get(key), row);
    rows.set(key, deepFreeze(row));
  }

  #changed(rows: Map<string, unknown>): void {
    this.#versions.set(rows, (this.#versions.get(rows) ?? 0) + 1);
  }

  #rowsOf(name: string): Map<string, unknown> {
    const rows = this.#tables.get(name);
    if (rows === undefined) throw new Error(`no plugin of this composition owns a table "${name}"`);
    return rows;
  }
}
