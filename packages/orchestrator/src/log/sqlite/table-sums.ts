// For each table the number of its rows and the sum of their checksums. A row's own checksum detects that the row was changed;
// these detect that a row is missing.

/** Sums are modulo 2^52: exact in a double, and in the 64-bit integers of other languages. */
const MODULUS = 2 ** 52;

export interface TableSum {
  readonly count: number;
  readonly sum: number;
}

export const NO_ROWS: TableSum = { count: 0, sum: 0 };

export type TableSums = ReadonlyMap<string, TableSum>;

/** Parses the stored form: `{"table":[count,sum],…}`, without empty tables. */
export function parseTableSums(json: string): TableSums {
  const stored = JSON.parse(json) as Record<string, [count: number, sum: number]>;
  return new Map(Object.entries(stored).map(([table, [count, sum]]) => [table, { count, sum }]));
}

export function formatTableSums(sums: TableSums): string {
  const kept = [...sums].filter(([, { count }]) => count !== 0);
  return JSON.stringify(Object.fromEntries(kept.map(([table, { count, sum }]) => [table, [count, sum]])));
}

/** Computes the sums after row changes; they replace the former sums once the rows are durable. */
export class TableSumChanges {
  readonly #before: TableSums;
  #after: Map<string, TableSum> | undefined;

  constructor(before: TableSums) {
    this.#before = before;
  }

  get changed(): boolean {
    return this.#after !== undefined;
  }

  get after(): TableSums {
    return this.#after ?? this.#before;
  }

  added(table: string, sum: number): void {
    this.#change(table, 1, sum);
  }

  removed(table: string, sum: number): void {
    this.#change(table, -1, MODULUS - sum);
  }

  #change(table: string, count: number, sum: number): void {
    this.#after ??= new Map(this.#before);
    const before = this.#after.get(table) ?? NO_ROWS;
    this.#after.set(table, { count: before.count + count, sum: (before.sum + sum) % MODULUS });
  }
}
