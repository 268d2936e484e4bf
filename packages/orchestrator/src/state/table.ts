// A table that a plugin owns. Logged tables are rebuilt from the log's rows at start; session tables start empty, because
// what is in them can be learned again by asking.

declare const rowType: unique symbol;

/** What is reached by a route: its name, `action:greet`, and the digest by which two of that name are the same thing. */
export type Routable = readonly [name: string, digest: string];

export interface TableOptions<Row> {
  /**
   * The route by which other nodes may reach what a row is; `undefined` where none may. Pure. What carries routes asks it of every
   * logged table that has it, and knows none by name (`PluginRuntime.routable`).
   */
  route?(key: string, row: Row): Routable | undefined;
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
  { route }: TableOptions<Row> = {},
): Table<Row> {
  return Object.freeze({ name, kind, ...(route === undefined ? {} : { route }) });
}
