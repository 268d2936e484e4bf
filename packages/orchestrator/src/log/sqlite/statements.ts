// All statements of an open log, prepared once: parsing a statement costs more than running it.

import type { Database } from "bun:sqlite";

/** A group as it is stored. */
export interface StoredGroup {
  readonly first: number;
  readonly n: number;
  readonly at: number;
  readonly born: number;
  readonly body: Uint8Array;
  readonly sum: number;
}

export interface SummedRow {
  readonly key: string;
  readonly json: string;
  readonly sum: number;
}

export type Statements = ReturnType<typeof prepare>;

export function prepare(db: Database) {
  return {
    begin: db.prepare<never, []>("BEGIN IMMEDIATE"),
    commit: db.prepare<never, []>("COMMIT"),
    rollback: db.prepare<never, []>("ROLLBACK"),
    appendGroup: db.prepare<never, [first: number, n: number, at: number, born: number, body: Uint8Array, sum: number]>(
      "INSERT INTO log (first, n, at, born, body, sum) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    rewriteGroup: db.prepare<never, [body: Uint8Array, sum: number, first: number]>(
      "UPDATE log SET body = ?, sum = ? WHERE first = ?",
    ),
    removeGroup: db.prepare<never, [first: number]>("DELETE FROM log WHERE first = ?"),
    groupOf: db.prepare<StoredGroup, [seq: number]>(
      "SELECT first, n, at, born, body, sum FROM log WHERE first <= ? ORDER BY first DESC LIMIT 1",
    ),
    groupAt: db.prepare<StoredGroup, [first: number]>("SELECT first, n, at, born, body, sum FROM log WHERE first = ?"),
    // The groups that can hold an id of this time: those of the second after it (PROMPT), and late ones to the end of FIND_WINDOW.
    // A group's `at` is its last entry's, so an entry within the window may be in the first group past its end.
    groupsAround: db.prepare<{ first: number }, [time: number, prompt: number, end: number]>(
      `SELECT first FROM log INDEXED BY log_at WHERE at BETWEEN ?1 AND ?2 AND born <= ?1
       UNION ALL
       SELECT first FROM log INDEXED BY log_late WHERE at - born > 1000 AND born <= ?1
       AND at BETWEEN ?1 AND ifnull((SELECT min(at) FROM log WHERE at > ?3), ?3)`,
    ),
    row: db.prepare<SummedRow, [table: string, key: string]>(
      "SELECT key, json, sum FROM row WHERE tbl = ? AND key = ?",
    ),
    rowSum: db.prepare<{ sum: number }, [table: string, key: string]>("SELECT sum FROM row WHERE tbl = ? AND key = ?"),
    rows: db.prepare<SummedRow, [table: string, limit: number]>(
      "SELECT key, json, sum FROM row WHERE tbl = ? ORDER BY key LIMIT ?",
    ),
    rowsAfter: db.prepare<SummedRow, [table: string, after: string, limit: number]>(
      "SELECT key, json, sum FROM row WHERE tbl = ? AND key > ? ORDER BY key LIMIT ?",
    ),
    addRow: db.prepare<never, [table: string, key: string, json: string, sum: number]>(
      "INSERT OR IGNORE INTO row (tbl, key, json, sum) VALUES (?, ?, ?, ?)",
    ),
    replaceRow: db.prepare<never, [table: string, key: string, json: string, sum: number]>(
      "INSERT OR REPLACE INTO row (tbl, key, json, sum) VALUES (?, ?, ?, ?)",
    ),
    removeRow: db.prepare<never, [table: string, key: string]>("DELETE FROM row WHERE tbl = ? AND key = ?"),
    blob: db.prepare<{ body: Uint8Array }, [name: string]>("SELECT body FROM blob WHERE name = ?"),
    blobRefs: db.prepare<{ refs: number; sum: number }, [name: string]>("SELECT refs, sum FROM blob WHERE name = ?"),
    addBlob: db.prepare<never, [name: string, refs: number, sum: number, body: Uint8Array]>(
      "INSERT INTO blob (name, refs, sum, body) VALUES (?, ?, ?, ?)",
    ),
    countBlob: db.prepare<never, [refs: number, sum: number, name: string]>(
      "UPDATE blob SET refs = ?, sum = ? WHERE name = ?",
    ),
    removeBlob: db.prepare<never, [name: string]>("DELETE FROM blob WHERE name = ?"),
    tile: db.prepare<{ hashes: Uint8Array; sum: number }, [id: number]>("SELECT hashes, sum FROM tile WHERE id = ?"),
    putTile: db.prepare<never, [id: number, hashes: Uint8Array, sum: number]>(
      "INSERT INTO tile (id, hashes, sum) VALUES (?, ?, ?)",
    ),
    meta: db.prepare<{ value: string | number; sum: number }, [name: string]>(
      "SELECT value, sum FROM meta WHERE name = ?",
    ),
    putMeta: db.prepare<never, [name: string, value: string | number, sum: number]>(
      "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)",
    ),
    removeMeta: db.prepare<never, [name: string]>("DELETE FROM meta WHERE name = ?"),
  };
}

/** Finalizes every statement: an open one would keep the file open. */
export function finalize(statements: Statements): void {
  for (const statement of Object.values(statements)) statement.finalize();
}
