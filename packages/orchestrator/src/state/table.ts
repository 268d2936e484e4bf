// A table that a plugin owns. Logged tables are rebuilt from the log's rows at start; session tables start empty, because
// what is in them can be learned again by asking.

declare const rowType: unique symbol;

export interface Table<Row = unknown> {
  readonly name: string;
  readonly kind: "logged" | "session";
  readonly [rowType]?: Row;
}

/** Rows that are kept on disk alone, by the kernel: one a keyed call, and one a late outcome (pipeline/kernel-tables.ts). */
export const COLD_TABLES = ["key", "outcome"] as const;

/** `const grants = table<GrantRow>("grant")`. Rows are plain JSON values. */
export function table<Row>(name: string, kind: "logged" | "session" = "logged"): Table<Row> {
  return Object.freeze({ name, kind });
}
