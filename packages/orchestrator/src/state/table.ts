// A table that a plugin owns. Logged tables are rebuilt from the log's rows at start; session tables start empty, because
// what is in them can be learned again by asking.

declare const rowType: unique symbol;

/** What its owner promises of repeated requests (RFC 9110 §9.2): twice is as good as once (`idempotent`), or nothing is changed (`read-only`). */
export type Repeatable = "idempotent" | "read-only";

/** What a route leads to: its name, such as `action:greet`; a digest, equal where two nodes offer the same thing; what is promised of repeats. */
export type Routable = readonly [name: string, digest: string, repeatable?: Repeatable];

/** What a table is besides its name and kind. */
export interface TableOptions<Row> {
  /**
   * The routes by which other nodes may reach what the row describes; none where they may not. Pure. Peering asks this of every
   * logged table that has it (`PluginRuntime.routable`).
   */
  routes?(key: string, row: Row): readonly Routable[];
  /**
   * The group that a row is counted in; `undefined`: in none. Pure. How many there are is read by `State.count` and `Reader.count` without a pass over
   * the rows, and is kept nowhere else: it follows from the rows, after a start too. Logged tables only.
   */
  countedBy?(key: string, row: Row): string | undefined;
}

/** A table that a plugin owns. */
export interface Table<Row = unknown> extends TableOptions<Row> {
  readonly name: string;
  readonly kind: "logged" | "session";
  readonly [rowType]?: Row;
}

/** The kernel's tables that are kept on disk only: a row for each keyed call, and one for each late outcome (pipeline/kernel-tables.ts). */
export const COLD_TABLES = ["key", "outcome"] as const;

/** `const grants = table<GrantRow>("grant")`. Rows are plain JSON values. */
export function table<Row>(
  name: string,
  kind: "logged" | "session" = "logged",
  { routes, countedBy }: TableOptions<Row> = {},
): Table<Row> {
  return Object.freeze({
    ...{ name, kind },
    ...(routes === undefined ? {} : { routes }),
    ...(countedBy === undefined ? {} : { countedBy }),
  });
}
