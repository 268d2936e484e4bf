// A table that a plugin owns. Logged tables are rebuilt from the log's rows at start; session tables start empty, because
// what is in them can be learned again by asking.

declare const rowType: unique symbol;

/** What its owner promises of asking twice for a thing (RFC 9110 §9.2): it is as good as once, or changes nothing at all. */
export type Repeatable = "idempotent" | "read-only";

/** What is reached by a route: its name, `action:greet`, the digest by which two of that name are the same thing, and what is promised. */
export type Routable = readonly [name: string, digest: string, repeatable?: Repeatable];

export interface TableOptions<Row> {
  /**
   * The routes by which other nodes may reach what a row is; none where nobody may. Pure. What carries routes asks it of every
   * logged table that has it, and knows none by name (`PluginRuntime.routable`).
   */
  routes?(key: string, row: Row): readonly Routable[];
}

export interface Table<Row = unknown> extends TableOptions<Row> {
  readonly name: string;
  readonly kind: "logged" | "session";
  readonly [rowType]?: Row;
}

/** Rows that are kept on disk alone, by the kernel: one a keyed call, and one a late outcome (pipeline/kernel-tables.ts). */
export const COLD_TABLES = ["key", "outcome"] as const;

/** `const grants = table<GrantRow>("grant")`. Rows are plain JSON values. */
export function table<Row>(
  name: string,
  kind: "logged" | "session" = "logged",
  { routes }: TableOptions<Row> = {},
): Table<Row> {
  return Object.freeze({ name, kind, ...(routes === undefined ? {} : { routes }) });
}
