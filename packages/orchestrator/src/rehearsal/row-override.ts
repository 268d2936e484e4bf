// A change of rows, laid over what history left: for the whole stretch, a decision that reads of the table sees what the
// override makes of each row. Nothing of it is ever written.

export interface RowOverride {
  readonly table: string;
  /**
   * A row as decisions see it; `undefined` where it is to be gone. Asked of the rows that are there; pure, and the row itself where
   * nothing changes. `recorded` gives the others of the table, as history left them.
   */
  becomes(row: unknown, key: string, recorded: (key: string) => unknown): unknown;
}
