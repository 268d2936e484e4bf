// Reads the history from the log file of a stopped node without changing a byte: opening it normally would increment its epoch. A damaged file is
// refused, because a rehearsal must be of what really happened.

import { statSync } from "node:fs";
import type { StoredEntry } from "../log/log.ts";
import { headOf } from "../log/sqlite/damage/file-content.ts";
import { inspectFile } from "../log/sqlite/damage/file-inspection.ts";
import { damagedFile, locked, refusal, refusalOf } from "../log/sqlite/file-faults.ts";
import { readMeta } from "../log/sqlite/meta.ts";
import { checkVersion, MIGRATIONS, pragma } from "../log/sqlite/migrations.ts";
import { isOpenHere, RawFile } from "../log/sqlite/raw-file.ts";
import { openReadOnly, type ReadOnlyFile } from "../log/sqlite/read-only-file.ts";
import { SqliteBlobs } from "../log/sqlite/sqlite-blobs.ts";
import { SqliteGroups } from "../log/sqlite/sqlite-groups.ts";
import { SqliteRows } from "../log/sqlite/sqlite-rows.ts";
import { finalize, prepare, type Statements } from "../log/sqlite/statements.ts";
import type { History } from "./survey.ts";

/** The history in the log file of a stopped node. Close it after use. */
export interface FileHistory extends History {
  close(): void;
}

/** @throws FaultError LOG_LOCKED, LOG_DAMAGED, LOG_NEWER, or LOG_UNAVAILABLE where there is none that could be read */
export function fileHistory(path: string): FileHistory {
  if (isOpenHere(path)) throw locked(path);
  let raw: RawFile | undefined;
  let file: ReadOnlyFile | undefined;
  let statements: Statements | undefined;
  const close = (): void => {
    if (statements !== undefined) finalize(statements);
    file?.close();
    // After SQLite's own: see raw-file.ts.
    raw?.close();
  };
  try {
    if (statSync(path).size === 0) throw refusal("LOG_UNAVAILABLE", path, `${path} is empty: it is no log`);
    raw = new RawFile(path);
    const { wal, damaged } = inspectFile(path, raw);
    if (damaged.length > 0) throw damagedFile(path, damaged);
    file = openReadOnly(path, wal);
    const { db } = file;
    checkVersion(db, path);
    if (pragma(db, "user_version") < MIGRATIONS.length) {
      throw refusal(
        "LOG_UNAVAILABLE",
        path,
        `the log ${path} is of an older version; start its node once, which brings it up`,
      );
    }
    statements = prepare(db);
    return { ...historyOf(statements, headOf(db).head), close };
  } catch (thrown) {
    close();
    throw refusalOf(thrown, path);
  }
}

function historyOf(statements: Statements, head: number): History {
  const groups = new SqliteGroups(statements);
  const rows = new SqliteRows(statements);
  const blobs = new SqliteBlobs(statements);
  const oldest = readMeta<number>(statements, "first");
  return {
    first: oldest,
    head,
    read(from, { limit = 1000 } = {}) {
      const entries: StoredEntry[] = [];
      for (let seq = Math.max(from, oldest); seq <= head && entries.length < limit; ) {
        const { first, texts } = groups.of(seq);
        for (; seq < first + texts.length && entries.length < limit; seq++) {
          entries.push({ seq, text: texts[seq - first] as string });
        }
      }
      return entries;
    },
    rows: (table, { after, limit = 1000 } = {}) => rows.range(table, after, limit),
    blob: (name) => blobs.get(name),
  };
}
