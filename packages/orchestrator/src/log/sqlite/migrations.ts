// The schema of a log's file, as numbered migrations. The list is append-only: existing files have any of these versions.

import type { Database } from "bun:sqlite";
import { FaultError, fault } from "../../fault/fault.ts";
import { addProofs } from "./migration-2.ts";

/** "CapL": tells a log from any other SQLite file (https://sqlite.org/pragma.html#pragma_application_id). */
export const APPLICATION_ID = 0x4361704c;

/** SQL, or a function where SQL is not enough. */
export type Migration = string | ((db: Database) => void);

export const MIGRATIONS: readonly Migration[] = [
  // 1: `log` has one row a group (group.ts); `at` is its last entry's, `born` the earliest time in its ids (find-window.ts).
  // `log_at` answers `find` and the check at opening without touching bodies; `at` only grows, so it is only appended to.
  `CREATE TABLE log (first INTEGER PRIMARY KEY, n INTEGER NOT NULL, at INTEGER NOT NULL, born INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
   CREATE INDEX log_at ON log (at, first, n, born);
   CREATE INDEX log_late ON log (at, first, born) WHERE at - born > 1000;
   CREATE TABLE row (tbl TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (tbl, key)) STRICT, WITHOUT ROWID;
   CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO meta VALUES ('epoch', 0), ('probe', 0);`,
  // 2: checksums, the tree, blobs, a log's id.
  addProofs,
];

/** Refuses a file that is no log of ours, or of a later version, before anything in it is changed. */
export function checkVersion(db: Database, path: string, migrations = MIGRATIONS): void {
  const version = versionOf(db);
  const ours = pragma(db, "application_id") === APPLICATION_ID;
  if (!ours && (version !== 0 || pragma(db, "schema_version") !== 0)) {
    throw new FaultError(
      fault("LOG_DAMAGED", `${path} is an SQLite database, but no log of Capstan's; name another file`, { path }),
    );
  }
  if (version > migrations.length) {
    throw new FaultError(
      fault(
        "LOG_NEWER",
        `the log ${path} is of version ${version}, and this Capstan knows versions up to ${migrations.length}; run the newer Capstan that wrote it`,
        { path, version, known: migrations.length },
      ),
    );
  }
}

/** Migrates the file to the last version; each step is one transaction. */
export function migrate(db: Database, migrations = MIGRATIONS): void {
  for (let version = versionOf(db); version < migrations.length; version++) {
    // Not `db.transaction`: it keeps statements, which would hold the file open after it was closed.
    db.run("BEGIN IMMEDIATE");
    try {
      const step = migrations[version] as Migration;
      if (typeof step === "string") db.run(step);
      else step(db);
      db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
      db.run(`PRAGMA user_version = ${version + 1}`);
      db.run("COMMIT");
    } catch (thrown) {
      if (db.inTransaction) db.run("ROLLBACK");
      throw thrown;
    }
  }
}

function versionOf(db: Database): number {
  return pragma(db, "user_version");
}

/** The value of a pragma that is a number. */
export function pragma(
  db: Database,
  name: "application_id" | "user_version" | "schema_version" | "page_count" | "page_size",
): number {
  using statement = db.prepare<Record<string, number>, []>(`PRAGMA ${name}`);
  return statement.get()?.[name] as number;
}
