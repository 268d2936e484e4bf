// Every statement that an open log runs, prepared once: parsing one costs more than running it.

import type { Database } from "bun:sqlite";

interface StoredGroup {
  readonly first: number;
  readonly n: number;
  readonly body: Uint8Array;
}

export type Statements = ReturnType<typeof prepare>;

export function prepare(db: Database) {
  return {
    begin: db.prepare<never, []>("BEGIN IMMEDIATE"),
    commit: db.prepare<never, []>("COMMIT"),
    rollback: db.prepare<never, []>("ROLLBACK"),
    appendGroup: db.prepare<never, [first: number, n: number, at: number, born: number, body: Uint8Array]>(
      "INSERT INTO log (first, n, at, born, body) VALUES (?, ?, ?, ?, ?)",
    ),
    putRow: db.prepare<never, [table: string, key: string, json: string]>(
      "INSERT OR REPLACE INTO row (tbl, key, json) VALUES (?, ?, ?)",
    ),
    removeRow: db.prepare<never, [table: string, key: string]>("DELETE FROM row WHERE tbl = ? AND key = ?"),
    groupOf: db.prepare<StoredGroup, [seq: number]>(
      "SELECT first, n, body FROM log WHERE first <= ? ORDER BY first DESC LIMIT 1",
    ),
    groupAt: db.prepare<{ body: Uint8Array }, [first: number]>("SELECT body FROM log WHERE first = ?"),
    // The groups that can hold an id of this time: those of the second after it, and late ones to the end of the window.
    // A group's `at` is its last entry's, so an entry within the window may be in the first group past its end.
    groupsAround: db.prepare<{ first: number }, [time: number, prompt: number, end: number]>(
      `SELECT first FROM log INDEXED BY log_at WHERE at BETWEEN ?1 AND ?2 AND born <= ?1
       UNION ALL
       SELECT first FROM log INDEXED BY log_late WHERE at - born > 1000 AND born <= ?1
       AND at BETWEEN ?1 AND ifnull((SELECT min(at) FROM log WHERE at > ?3), ?3)`,
    ),
    row: db.prepare<{ json: string }, [table: string, key: string]>("SELECT json FROM row WHERE tbl = ? AND key = ?"),
    rows: db.prepare<{ key: string; json: string }, [table: string, limit: number]>(
      "SELECT key, json FROM row WHERE tbl = ? ORDER BY key LIMIT ?",
    ),
    rowsAfter: db.prepare<{ key: string; json: string }, [table: string, after: string, limit: number]>(
      "SELECT key, json FROM row WHERE tbl = ? AND key > ? ORDER BY key LIMIT ?",
    ),
    probe: db.prepare<never, []>("UPDATE meta SET value = value + 1 WHERE name = 'probe'"),
  };
}
