// Checks the tables of a log's file against its entries: every row, no more and no less.

import type { Problems } from "./problems.ts";
import type { Replay } from "./replay.ts";
import type { StoredFile } from "./stored-file.ts";

const FORGED =
  "somebody wrote to the tables past the log: restore a backup, or save the entries, which make the tables anew (capstan log salvage FILE --out NEW)";

/** @param forgotten entries before it are compacted away, and what pointed to them with them */
export function verifyTables(stored: StoredFile, replay: Replay, forgotten: number, problems: Problems) {
  let rows = 0;
  let unproved = 0;
  for (const { table, key, json } of stored.rows()) {
    rows++;
    const found = replay.settle(table, key, json);
    if (found === "as recorded") continue;
    // The missing parts were reported already.
    if (!replay.whole) unproved++;
    else {
      const what = found === "changed" ? "it is not what the entries wrote" : "no entry wrote it";
      problems.add(`the row ${table} ${JSON.stringify(key)}`, what, FORGED);
    }
  }
  for (const [table, count] of replay.whole ? replay.left(forgotten) : []) {
    const what = count === 1 ? "a row that the entries wrote is gone" : `${count} rows that the entries wrote are gone`;
    problems.add(`the table ${table}`, what, FORGED);
  }
  return { rows, unproved };
}
