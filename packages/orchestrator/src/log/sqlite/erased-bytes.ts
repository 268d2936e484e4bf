// What was erased is in no file any more: SQLite overwrites it with zeros in its pages, and the WAL, where older copies of
// these pages lie, is emptied once the erasure is durable. A crash between the two is made up for at the next opening.

import type { Database } from "bun:sqlite";
import { findMeta, writeMeta } from "./meta.ts";
import { pragma } from "./migrations.ts";
import type { Statements } from "./statements.ts";
import { growWal } from "./wal.ts";
import type { WriteBack } from "./write-back.ts";

export class ErasedBytes {
  readonly #db: Database;
  readonly #do: Statements;
  readonly #path: string;
  readonly #writeBack: WriteBack;
  /** Whether the WAL may have what was erased. */
  #left: boolean;

  constructor(db: Database, statements: Statements, path: string, writeBack: WriteBack) {
    this.#db = db;
    this.#do = statements;
    this.#path = path;
    this.#writeBack = writeBack;
    // Rows and groups that move within the file leave no copies where they were.
    db.run("PRAGMA secure_delete = FAST");
    this.#left = findMeta(statements.meta, "erasing") !== undefined;
    this.end();
  }

  /** To be called in the transaction that erases, before it does. */
  begin(): void {
    this.#db.run("PRAGMA secure_delete = ON");
    this.#left = true;
    writeMeta(this.#do, "erasing", 1);
  }

  /** To be called where the transaction was undone, or where it will be followed by one that erases more. */
  pause(): void {
    this.#db.run("PRAGMA secure_delete = FAST");
  }

  /** To be called once it is durable. It does not fail for its caller: what was not done now is done later. */
  end(): void {
    if (!this.#left) return;
    try {
      this.#db.run("PRAGMA secure_delete = FAST");
      this.#writeBack.empty();
      this.#do.removeMeta.run("erasing");
      this.#left = false;
      growWal(this.#path, pragma(this.#db, "page_size"));
    } catch {
      // A full disk: the mark stays, and the next opening tries again.
    }
  }
}
