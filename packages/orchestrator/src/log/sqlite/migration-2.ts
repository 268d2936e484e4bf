// Migration 2: adds checksums to every group, row, value and table, and gives the log its Merkle tree and its id, in place.
// As every migration it must not change: existing files were made by it.

import type { Database } from "bun:sqlite";
import { makeLogId } from "../log-id.ts";
import { MerkleTree } from "../tree/merkle-tree.ts";
import { damaged, entries, groupSum, metaSum, rowSum } from "./checksum.ts";
import { eachLeaf } from "./group.ts";
import { sqliteTiles } from "./sqlite-tiles.ts";
import { formatTableSums, TableSumChanges } from "./table-sums.ts";

// `tile` has the complete tiles: at level 0 of 256 leaves, at each higher level of the roots of 256 tiles below. Ids sort
// level 0 last, so that its tiles are appended. `blob.refs` is the number of parts that name the blob.
const SCHEMA = `
  ALTER TABLE log ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE row ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE meta ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE tile (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL, sum INTEGER NOT NULL,
    level INTEGER AS (-(id >> 48)), idx INTEGER AS (id & 0xffffffffffff)) STRICT;
  CREATE TABLE blob (name TEXT PRIMARY KEY, refs INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;`;

/** How many rows are read at a time. */
const PAGE = 1000;

export function addProofs(db: Database): void {
  db.run(SCHEMA);
  addLog(db);
  addMeta(db, { log: makeLogId(), first: 1, restored: "[]", tables: addRows(db) });
}

function addLog(db: Database): void {
  interface Group {
    readonly first: number;
    readonly n: number;
    readonly at: number;
    readonly born: number;
    readonly body: Uint8Array;
  }
  using groupAt = db.prepare<Group, [first: number]>("SELECT first, n, at, born, body FROM log WHERE first = ?");
  using setSum = db.prepare<never, [sum: number, first: number]>("UPDATE log SET sum = ? WHERE first = ?");
  using tile = db.prepare<{ hashes: Uint8Array; sum: number }, [id: number]>(
    "SELECT hashes, sum FROM tile WHERE id = ?",
  );
  using putTile = db.prepare<never, [id: number, hashes: Uint8Array, sum: number]>(
    "INSERT INTO tile (id, hashes, sum) VALUES (?, ?, ?)",
  );
  const tree = new MerkleTree(sqliteTiles({ tile, putTile }));
  for (let group = groupAt.get(1); group !== null; group = groupAt.get(tree.size + 1)) {
    const { first, n, at, born, body } = group;
    eachLeaf(body, (leaf) => tree.add(leaf));
    if (n < 1 || tree.size !== first + n - 1) throw damaged(entries(first, n), "there are others");
    setSum.run(groupSum(first, n, at, born, body), first);
  }
  using latest = db.prepare<{ first: number | null }, []>("SELECT max(first) AS first FROM log");
  const last = latest.get()?.first ?? 0;
  if (last > tree.size) throw damaged(entries(tree.size + 1, last - tree.size - 1), "they are gone");
}

/** Returns the sums of the tables. */
function addRows(db: Database): string {
  interface Row {
    readonly tbl: string;
    readonly key: string;
    readonly json: string;
  }
  using page = db.prepare<Row, [table: string, key: string, limit: number]>(
    "SELECT tbl, key, json FROM row WHERE (tbl, key) > (?, ?) ORDER BY tbl, key LIMIT ?",
  );
  using setSum = db.prepare<never, [sum: number, table: string, key: string]>(
    "UPDATE row SET sum = ? WHERE tbl = ? AND key = ?",
  );
  const changes = new TableSumChanges(new Map());
  let last: Row | undefined = { tbl: "", key: "", json: "" };
  while (last !== undefined) {
    const rows: Row[] = page.all(last.tbl, last.key, PAGE);
    for (const { tbl, key, json } of rows) {
      const sum = rowSum(tbl, key, json);
      setSum.run(sum, tbl, key);
      changes.added(tbl, sum);
    }
    last = rows.at(-1);
  }
  return formatTableSums(changes.after);
}

function addMeta(db: Database, added: Readonly<Record<string, string | number>>): void {
  using all = db.prepare<{ name: string; value: string | number }, []>("SELECT name, value FROM meta");
  using put = db.prepare<never, [name: string, value: string | number, sum: number]>(
    "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)",
  );
  const values = [...all.all().map(({ name, value }) => [name, value] as const), ...Object.entries(added)];
  for (const [name, value] of values) put.run(name, value, metaSum(name, value));
}
