// The tables' rows in a log's file: written with their checksums, and returned only if these fit. All writes run in the
// caller's transaction.

import { sortable, unsortable } from "../key-order.ts";
import type { NewEntry, RowChange, StoredRow } from "../log.ts";
import { coalesce } from "../row-changes.ts";
import { damaged, rowSum } from "./checksum.ts";
import { readMeta, writeMeta } from "./meta.ts";
import type { Statements, SummedRow } from "./statements.ts";
import { formatTableSums, NO_ROWS, parseTableSums, TableSumChanges, type TableSums } from "./table-sums.ts";

const PAGE = 1000;

export class SqliteRows {
  readonly #do: Statements;
  #sums: TableSums;

  constructor(statements: Statements) {
    this.#do = statements;
    this.#sums = parseTableSums(readMeta<string>(statements, "tables"));
  }

  get sums(): TableSums {
    return this.#sums;
  }

  get(table: string, key: string): string | undefined {
    const row = this.#do.row.get(table, sortable(key));
    return row === null ? undefined : checked(table, row).json;
  }

  range(table: string, after: string | undefined, limit: number): readonly StoredRow[] {
    // SQLite treats a negative limit as no limit.
    const most = Math.min(Math.max(limit, 0), Number.MAX_SAFE_INTEGER);
    const rows =
      after === undefined ? this.#do.rows.all(table, most) : this.#do.rowsAfter.all(table, sortable(after), most);
    return rows.map((row) => ({ table, key: unsortable(row.key), json: checked(table, row).json }));
  }

  /**
   * Every row of the table, page by page, because a million at once would double the memory of a start.
   * @param page is called before each page is read
   * @throws FaultError `LOG_DAMAGED`; also after the last row, if rows are missing or were added
   */
  *all(table: string, page: () => void): Generator<StoredRow, void, void> {
    const found = new TableSumChanges(new Map());
    for (let rows: readonly SummedRow[] | undefined; rows === undefined || rows.length === PAGE; ) {
      page();
      const last = rows?.at(-1);
      rows = last === undefined ? this.#do.rows.all(table, PAGE) : this.#do.rowsAfter.all(table, last.key, PAGE);
      for (const row of rows) {
        yield { table, key: unsortable(row.key), json: checked(table, row).json };
        found.added(table, row.sum);
      }
    }
    const is = found.after.get(table) ?? NO_ROWS;
    const was = this.#sums.get(table) ?? NO_ROWS;
    if (is.count !== was.count) throw damaged(`the table ${table}`, `it has ${is.count} of ${was.count} rows`);
    if (is.sum !== was.sum) throw damaged(`the table ${table}`, "a row in it is not the one that was written");
  }

  /** Writes the entries' row changes. Returns the sums for `settle`, to be called once the transaction is durable. */
  apply(entries: readonly NewEntry[]): TableSums {
    const changes = new TableSumChanges(this.#sums);
    for (const [table, rows] of coalesce(entries)) {
      for (const [key, { json, fresh }] of rows) {
        if (json === undefined) this.#remove(changes, table, sortable(key));
        else this.#put(changes, table, sortable(key), json, fresh);
      }
    }
    return this.#written(changes);
  }

  remove(rows: readonly Pick<RowChange, "table" | "key">[]): TableSums {
    const changes = new TableSumChanges(this.#sums);
    for (const { table, key } of rows) this.#remove(changes, table, sortable(key));
    return this.#written(changes);
  }

  settle(sums: TableSums): void {
    this.#sums = sums;
  }

  #put(changes: TableSumChanges, table: string, key: string, json: string, fresh: boolean): void {
    const sum = rowSum(table, key, json);
    // `fresh` may be wrong: an existing row is then replaced, and its sum subtracted, as any other.
    if (fresh && this.#do.addRow.run(table, key, json, sum).changes === 1) {
      changes.added(table, sum);
      return;
    }
    const before = this.#do.rowSum.get(table, key);
    if (before !== null) changes.removed(table, before.sum);
    this.#do.replaceRow.run(table, key, json, sum);
    changes.added(table, sum);
  }

  #remove(changes: TableSumChanges, table: string, key: string): void {
    const before = this.#do.rowSum.get(table, key);
    if (before === null) return;
    this.#do.removeRow.run(table, key);
    changes.removed(table, before.sum);
  }

  #written(changes: TableSumChanges): TableSums {
    if (changes.changed) writeMeta(this.#do, "tables", formatTableSums(changes.after));
    return changes.after;
  }
}

/** @throws FaultError `LOG_DAMAGED` */
function checked(table: string, row: SummedRow): SummedRow {
  if (rowSum(table, row.key, row.json) === row.sum) return row;
  throw damaged(`the row ${table} ${JSON.stringify(unsortable(row.key))}`, "the checksum does not fit");
}
