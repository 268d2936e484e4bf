// A new log's file, written from what another log gave out: its entries as they are stored, the rows that their parts say they
// wrote, its tree, and the leaves of entries that it no longer has. Nobody else may know of the file until it is finished.

import { Database } from "bun:sqlite";
import { closeSync, openSync, rmSync } from "node:fs";
import type { Blob, Restoration, RowChange } from "../log/log.ts";
import { type MetaName, writeMeta } from "../log/sqlite/meta.ts";
import { migrate } from "../log/sqlite/migrations.ts";
import { SqliteBlobs } from "../log/sqlite/sqlite-blobs.ts";
import { SqliteGroups } from "../log/sqlite/sqlite-groups.ts";
import { SqliteRows } from "../log/sqlite/sqlite-rows.ts";
import { sqliteTiles } from "../log/sqlite/sqlite-tiles.ts";
import { finalize, prepare, type Statements } from "../log/sqlite/statements.ts";
import { PAGE_BYTES } from "../log/sqlite/wal.ts";
import { MerkleTree } from "../log/tree/merkle-tree.ts";
import type { Table } from "../state/table.ts";
import { syncFile } from "./sync.ts";
import { writing } from "./unwritable.ts";

export interface ImportedLog {
  readonly id: string;
  /** Of the log's writer: the next opening counts on from it. */
  readonly epoch: number;
  readonly restorations: readonly Restoration[];
  /** The signed checkpoint that covers all of it, where it is to be kept in the file. */
  readonly checkpoint?: string;
}

/** An entry on its way in, its text checked. */
export interface ImportedEntry {
  readonly id: string;
  readonly at: number;
  readonly text: string;
  readonly rows: readonly RowChange[];
  /** The content that the text names. */
  readonly blobs: readonly Blob[];
}

/** Half a file is of use to nobody: it needs no journal, and is flushed once, at its end. */
const PRAGMAS = [`page_size = ${PAGE_BYTES}`, "journal_mode = MEMORY", "synchronous = OFF", "locking_mode = EXCLUSIVE"];

const ALL = Number.MAX_SAFE_INTEGER;

export class LogImport {
  readonly path: string;
  readonly #db: Database;
  readonly #do: Statements;
  readonly #groups: SqliteGroups;
  readonly #rows: SqliteRows;
  readonly #blobs: SqliteBlobs;
  readonly #tree: MerkleTree;
  #first: number | undefined;
  #lastAt = 0;
  #open = true;

  /** @throws Unwritable where the file is there, or cannot be made */
  constructor(path: string) {
    this.path = path;
    writing(path, () => closeSync(openSync(path, "wx", 0o600)));
    this.#db = new Database(path, { readwrite: true, create: false });
    writing(path, () => {
      for (const pragma of PRAGMAS) this.#db.run(`PRAGMA ${pragma}`);
      migrate(this.#db);
    });
    this.#do = prepare(this.#db);
    this.#groups = new SqliteGroups(this.#do);
    this.#rows = new SqliteRows(this.#do);
    this.#blobs = new SqliteBlobs(this.#do);
    this.#tree = new MerkleTree(sqliteTiles(this.#do));
    this.#do.begin.run();
  }

  get size(): number {
    return this.#tree.size;
  }

  /** `at` of its last entry. */
  get lastAt(): number {
    return this.#lastAt;
  }

  root(): Uint8Array {
    return this.#tree.root();
  }

  /** The leaf of an entry that was compacted away; all of these come before the first entry. */
  addLeaf(hash: Uint8Array): void {
    if (this.#first !== undefined) throw new Error("a leaf without its entry comes after an entry");
    writing(this.path, () => this.#tree.addHash(hash));
  }

  /** Further entries, as one group; none is older than the one before it. */
  addGroup(entries: readonly ImportedEntry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#first ??= this.size + 1;
    writing(this.path, () => {
      this.#groups.settle(this.#groups.append(this.size + 1, entries, this.#tree));
      this.#rows.settle(this.#rows.apply(entries));
      this.#blobs.add(entries);
    });
    this.#lastAt = last.at;
  }

  /** A row that its entries wrote. */
  row<Row>({ name }: Table<Row>, key: string): Row | undefined {
    const json = this.#rows.get(name, key);
    return json === undefined ? undefined : (JSON.parse(json) as Row);
  }

  /** Every row of a table that its entries wrote, by key. */
  rows<Row>({ name }: Table<Row>): readonly (readonly [key: string, row: Row])[] {
    return this.#rows.range(name, undefined, ALL).map(({ key, json }) => [key, JSON.parse(json) as Row]);
  }

  /** Makes it durable, whole. */
  finish({ id, epoch, restorations, checkpoint }: ImportedLog): void {
    const values: Partial<Record<MetaName, string | number>> = {
      ...{ log: id, epoch, first: this.#first ?? this.size + 1, restored: JSON.stringify(restorations) },
      ...(checkpoint === undefined ? {} : { checkpoint }),
    };
    writing(this.path, () => {
      for (const [name, value] of Object.entries(values)) writeMeta(this.#do, name as MetaName, value);
      this.#do.commit.run();
      this.#close();
      syncFile(this.path);
    });
  }

  /** Leaves nothing of it. */
  discard(): void {
    this.#close();
    rmSync(this.path, { force: true });
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    finalize(this.#do);
    this.#db.close();
  }
}
