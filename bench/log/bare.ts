// The anchor: the same texts inserted into bare SQLite, one row each, in a transaction a group, as durable as ours.

import { Database } from "bun:sqlite";
import type { NewEntry } from "@capstan/orchestrator";

export class BareLog {
  readonly #db: Database;
  readonly #append: (entries: readonly NewEntry[]) => void;

  constructor(path: string) {
    const db = new Database(path, { create: true });
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = FULL");
    db.run("CREATE TABLE entry (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT");
    db.run("CREATE TABLE row (tbl TEXT, key TEXT, json TEXT NOT NULL, PRIMARY KEY (tbl, key)) STRICT, WITHOUT ROWID");
    const insert = db.prepare<never, [text: string]>("INSERT INTO entry (text) VALUES (?)");
    const put = db.prepare<never, [table: string, key: string, json: string | null]>(
      "INSERT OR REPLACE INTO row (tbl, key, json) VALUES (?, ?, ?)",
    );
    this.#db = db;
    this.#append = db.transaction((entries: readonly NewEntry[]) => {
      for (const { text, rows } of entries) {
        insert.run(text);
        for (const { table, key, json } of rows) put.run(table, key, json ?? null);
      }
    });
  }

  append(entries: readonly NewEntry[]): void {
    this.#append(entries);
  }

  close(): void {
    this.#db.close();
  }
}
