// Opens a damaged log's file to read its intact parts: chooses the view of it that SQLite gets (with or without the WAL), finds the damage
// in that view, and loads the tables into memory. Not a byte of the file or its WAL is changed, so that everything can still be salvaged.

import { constants, Database, SQLiteError } from "bun:sqlite";
import type { Damage, Restoration, StoredEntry } from "../../log.ts";
import { groupSum } from "../checksum.ts";
import { damagedFile, refusalOf, removePid, writePid } from "../file-faults.ts";
import { decodeGroup } from "../group.ts";
import { type MetaName, readMeta } from "../meta.ts";
import { checkVersion, MIGRATIONS, pragma } from "../migrations.ts";
import { compareSums } from "../page-sums.ts";
import type { RawFile } from "../raw-file.ts";
import { openReadOnly, type ReadOnlyFile } from "../read-only-file.ts";
import { SqliteBlobs } from "../sqlite-blobs.ts";
import { finalize, prepare, type Statements, type StoredGroup } from "../statements.ts";
import { EMPTY_WAL, type WalScan } from "../wal-scan.ts";
import { canReplay, type MemoryTables, replayedTables, storedTables } from "./damaged-tables.ts";
import { type Examination, examine } from "./examination.ts";
import { contradictionOf } from "./file-content.ts";
import { type Inspection, trusted } from "./file-inspection.ts";

export interface DamagedFile {
  readonly kind: "damaged";
  readonly db: Database;
  readonly statements: Statements;
  readonly tables: MemoryTables;
  readonly damage: Damage;
  readonly id: string;
  readonly first: number;
  readonly head: number;
  readonly lastAt: number;
  readonly epoch: number;
  readonly restorations: readonly Restoration[];
  close(): void;
}

/** @throws FaultError LOG_DAMAGED where its tables are neither intact nor can be recomputed, LOG_LOCKED */
export function openDamaged(path: string, raw: RawFile, inspection: Inspection): DamagedFile {
  const unlock = holdForReading(path);
  let file: ReadOnlyFile | undefined;
  let statements: Statements | undefined;
  const close = (): void => {
    if (statements !== undefined) finalize(statements);
    file?.close();
    unlock();
  };
  try {
    file = openReadOnly(path, viewOf(path, raw, inspection.wal));
    const { db } = file;
    checkVersion(db, path);
    // An older version has no checksums, so that no part can be shown to be intact.
    if (pragma(db, "user_version") < MIGRATIONS.length) throw damagedFile(path, inspection.damaged);
    const examination = examine(db);
    statements = prepare(db);
    return { kind: "damaged", db, statements, close, ...contentOf(path, db, statements, examination, inspection) };
  } catch (thrown) {
    close();
    if (!(thrown instanceof SQLiteError)) throw thrown;
    throw thrown.code?.startsWith("SQLITE_BUSY")
      ? refusalOf(thrown, path)
      : damagedFile(path, [...inspection.damaged, thrown.message]);
  }
}

/**
 * The WAL scan to open the file with; `undefined` leaves the WAL aside. The main file alone is used if it has everything that was in the damaged
 * WAL; otherwise the main file with the WAL's intact frames, which is an older state of the log.
 */
export function viewOf(path: string, raw: RawFile, wal: WalScan): WalScan | undefined {
  const alone = compareSums(path, raw.fd, EMPTY_WAL);
  const hasMore = compareSums(path, raw.fd, wal).damage !== undefined;
  return hasMore && alone.doubt === undefined && alone.damage === undefined ? undefined : wal;
}

function contentOf(
  path: string,
  db: Database,
  statements: Statements,
  examination: Examination,
  inspection: Inspection,
) {
  const { checkpoint } = trusted(db, path, inspection.checkpoint);
  const contradicted = contradictionOf(db, checkpoint);
  const lines = [...new Set([...inspection.damaged, ...examination.damaged, ...(contradicted ? [contradicted] : [])])];
  const first = valueOr(statements, "first", 1);
  const { head, lastAt } = endOf(db, examination);
  const remade = examination.tables || !canReplay(examination, first) ? undefined : remake(db, statements);
  const tables = examination.tables ? storedTables(db) : remade;
  if (tables === undefined) throw damagedFile(path, lines);
  const whole = wholeOf(examination, first, head, remade !== undefined);
  return {
    ...{ tables, damage: { damaged: lines, whole }, first, head, lastAt },
    id: valueOr(statements, "log", checkpoint.kind === "checkpoint" ? checkpoint.checkpoint.log : "l-unknown"),
    epoch: valueOr(statements, "epoch", 0),
    restorations: JSON.parse(valueOr(statements, "restored", "[]")) as Restoration[],
  };
}

/** The numbers of the last group may be damaged. */
function endOf(db: Database, { entries }: Examination): { readonly head: number; readonly lastAt: number } {
  using groups = db.prepare<StoredGroup, []>("SELECT first, n, at, born, body, sum FROM log ORDER BY first DESC");
  let end = { head: 0, lastAt: 0 };
  for (const { first, n, at, born, body, sum } of groups.iterate()) {
    if (groupSum(first, n, at, born, body) !== sum) continue;
    end = { head: first + n - 1, lastAt: at };
    break;
  }
  return { ...end, head: Math.max(end.head, ...entries.map(([, last]) => last)) };
}

function remake(db: Database, statements: Statements): MemoryTables | undefined {
  const blobs = new SqliteBlobs(statements);
  return replayedTables(storedEntries(db), (name) => blobs.get(name));
}

function* storedEntries(db: Database): Generator<StoredEntry, void, void> {
  using all = db.prepare<StoredGroup, []>("SELECT first, n, body FROM log ORDER BY first");
  for (const { first, n, body } of all.iterate()) {
    for (const [i, text] of decodeGroup(first, n, body).entries()) yield { seq: first + i, text };
  }
}

/** The intact parts in words, such as "entries 1 to 879 and 913 to 1000, and all tables". */
function wholeOf({ entries, readable }: Examination, first: number, head: number, remade: boolean): string {
  const tables = remade ? "all tables, which were made again from the entries" : "all tables";
  if (!readable) return `${tables}; of the entries those that can be read`;
  const ranges: string[] = [];
  let from = first;
  for (const [bad, last] of [...entries, [head + 1, head + 1] as const]) {
    if (bad > from) ranges.push(bad - 1 === from ? `${from}` : `${from} to ${bad - 1}`);
    from = Math.max(from, last + 1);
  }
  return ranges.length === 0 ? `${tables}, and no entry` : `entries ${ranges.join(", ")}, and ${tables}`;
}

function valueOr<T extends string | number>(statements: Statements, name: MetaName, instead: T): T {
  try {
    return readMeta<T>(statements, name);
  } catch {
    return instead;
  }
}

/**
 * Locks the file against writers while it is read. If SQLite cannot open it, nobody can write to it either, and there is no lock.
 * @throws FaultError LOG_LOCKED
 */
function holdForReading(path: string): () => void {
  let db: Database | undefined;
  try {
    db = new Database(path, constants.SQLITE_OPEN_READONLY);
    db.run("PRAGMA busy_timeout = 0");
    db.run("BEGIN");
    db.run("SELECT count(*) FROM sqlite_schema");
  } catch (thrown) {
    db?.close();
    if ((thrown as SQLiteError).code?.startsWith("SQLITE_BUSY")) throw refusalOf(thrown, path);
    return () => {};
  }
  const held = db;
  writePid(path);
  return () => {
    removePid(path);
    held.close();
  };
}
