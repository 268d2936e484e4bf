// Checks a log's whole content: each group, row, tile, blob and value against its checksum, the rows of each table against
// their sums, the sequence of the groups, and the tree against the entries' headers. It reports damage and changes nothing; the
// callers decide what to do. It does not check the structure of SQLite's pages.

import { type Database, SQLiteError } from "bun:sqlite";
import { unsortable } from "../../key-order.ts";
import { metaSum, rowSum } from "../checksum.ts";
import { NO_ROWS, parseTableSums, TableSumChanges } from "../table-sums.ts";
import { checkBlobs } from "./content-blobs.ts";
import { checkGroups } from "./content-groups.ts";
import { type Add, type ContentProblem, UNFIT } from "./content-problem.ts";
import { checkTiles } from "./content-tiles.ts";

export { type ContentProblem, problemText } from "./content-problem.ts";

/** All problems of the log that is open in `db`, a file of the last version; empty where it is intact. */
export function checkContent(db: Database): ContentProblem[] {
  const problems: ContentProblem[] = [];
  const add = (problem: ContentProblem): void => void problems.push(problem);
  const reading = (what: string, work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      if (!(thrown instanceof SQLiteError)) throw thrown;
      add({ kind: "storage", what, why: thrown.message });
    }
  };
  let values: Values = new Map();
  reading("the values", () => {
    values = checkValues(db, add);
  });
  reading("the rows", () => checkRows(db, values, add));
  const named = new Map<string, number>();
  let head = 0;
  reading("the entries", () => {
    head = checkGroups(db, Number(values.get("first") ?? 1), named, add);
  });
  reading("the tree", () => checkTiles(db, head, add));
  reading("the blobs", () => checkBlobs(db, named, add));
  return problems;
}

type Values = ReadonlyMap<string, string | number>;

const VALUES = ["epoch", "probe", "log", "first", "restored", "tables"];

/** Returns the values whose checksum fits. */
function checkValues(db: Database, add: Add): Values {
  using all = db.prepare<{ name: string; value: string | number; sum: number }, []>(
    "SELECT name, value, sum FROM meta",
  );
  const values = new Map<string, string | number>();
  const missing = new Set(VALUES);
  for (const { name, value, sum } of all.all()) {
    missing.delete(name);
    if (metaSum(name, value) === sum) values.set(name, value);
    else add({ kind: "value", name, why: UNFIT });
  }
  for (const name of missing) add({ kind: "value", name, why: "it is gone" });
  return values;
}

function checkRows(db: Database, values: Values, add: Add): void {
  using all = db.prepare<{ tbl: string; key: string; json: string; sum: number }, []>(
    "SELECT tbl, key, json, sum FROM row ORDER BY tbl, key",
  );
  const found = new TableSumChanges(new Map());
  for (const { tbl: table, key, json, sum } of all.iterate()) {
    if (rowSum(table, key, json) !== sum) add({ kind: "row", table, key: unsortable(key), why: UNFIT });
    found.added(table, sum);
  }
  const stored = values.get("tables");
  if (typeof stored !== "string") return;
  const expected = parseTableSums(stored);
  for (const table of new Set([...expected.keys(), ...found.after.keys()])) {
    const is = found.after.get(table) ?? NO_ROWS;
    const was = expected.get(table) ?? NO_ROWS;
    if (is.count !== was.count) add({ kind: "table", table, why: `it has ${is.count} of ${was.count} rows` });
    else if (is.sum !== was.sum) add({ kind: "table", table, why: "a row in it is not the one that was written" });
  }
}
