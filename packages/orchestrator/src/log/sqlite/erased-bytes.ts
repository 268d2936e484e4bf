// Removes erased bytes from the files: SQLite overwrites them with zeros in its pages, and the WAL, which has older copies of
// these pages, is emptied once the erasure is durable. After a crash between the two, the next opening empties the WAL.

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
  /** Whether the WAL may still have erased bytes. */
  #left: boolean;

  constructor(db: Database, statements: Statements, path: string, writeBack: WriteBack) {
    this.#db = db;
    this.#do = statements;
    this.#path = path;
    this.#writeBack = writeBack;
    // FAST: rows and groups that move within the file leave no copies behind.
    db.run("PRAGMA secure_delete = FAST");
    this.#left = findMeta(statements.meta, "erasing") !== undefined;
    this.end();
  }

  /** Call this in the erasing transaction, before the erasure. */
  begin(): void {
    this.#db.run("PRAGMA secure_delete = ON");
    this.#left = true;
    writeMeta(this.#do, "erasing", 1);
  }

  /** Call this after the transaction was undone, or if another erasing transaction follows. */
  pause(): void {
    this.#db.run("PRAGMA secure_delete = FAST");
  }

  /** Call this once the erasure is durable. Never throws: what fails now is repeated by the next opening. */
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
