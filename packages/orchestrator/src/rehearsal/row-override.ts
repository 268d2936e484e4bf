// A change of rows, laid over what history left: for the whole stretch, a decision that reads of the table sees what the
// override makes of each row. Nothing of it is ever written.

/** Changes the rows of a table that a rehearsal's decisions see. */
export interface RowOverride {
  readonly table: string;
  /**
   * Answers a row as decisions shall see it: the row itself where it does not change, `undefined` where it shall be gone. Called for each row that
   * is there; pure. `recorded` reads other rows of the table, as the history left them.
   */
  becomes(row: unknown, key: string, recorded: (key: string) => unknown): unknown;
}
