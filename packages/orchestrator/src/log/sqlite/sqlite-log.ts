// The log in one SQLite file: one row for each group commit, and the tables updated in the same transaction. Everything runs
// synchronously on the main thread; a worker was measured slower. Opening and its refusals: sqlite-file.ts.

import type { Database } from "bun:sqlite";
import { timeOfId } from "../../message/id.ts";
import { Growth } from "../growth.ts";
import type {
  AppendResult,
  Damage,
  Erasure,
  Log,
  NewEntry,
  ReadOptions,
  Restoration,
  StoredEntry,
  StoredRow,
  TrimmedRow,
} from "../log.ts";
import type { MerkleTree } from "../tree/merkle-tree.ts";
import { damagedLog } from "./damage/damaged-log.ts";
import { readable } from "./damage/unreadable.ts";
import { ErasedBytes } from "./erased-bytes.ts";
import { FIND_WINDOW, PROMPT } from "./find-window.ts";
import { checkOrder } from "./group.ts";
import { readMeta, writeMeta } from "./meta.ts";
import { SqliteBlobs } from "./sqlite-blobs.ts";
import { openFile, type WholeFile } from "./sqlite-file.ts";
import { SqliteGroups } from "./sqlite-groups.ts";
import { SqliteRows } from "./sqlite-rows.ts";
import { openTree } from "./sqlite-tiles.ts";
import { finalize, prepare, type Statements } from "./statements.ts";
import { goingWith, nextSlice } from "./trim.ts";
import { sizeOf, walOf } from "./wal.ts";

export interface SqliteLogOptions {
  /** For tests of failures: runs last in each append's transaction; an error from it undoes the group. */
  readonly beforeCommit?: () => void;
  /** Called with anomalies at opening that are no damage. */
  readonly warn?: (text: string) => void;
  /** For tests: skips the check for damage. */
  readonly uninspected?: boolean;
}

/**
 * Opens the log in the file `path`, and creates it where there is none. A damaged log opens read-only, if its tables are intact or
 * can be recomputed: see `damage`.
 * @throws FaultError `LOG_LOCKED`, `LOG_NEWER`, `LOG_DAMAGED` or `LOG_UNAVAILABLE`.
 */
export function sqliteLog(path: string, options: SqliteLogOptions = {}): Log {
  const file = openFile(path, options.uninspected);
  if (file.kind === "damaged") return damagedLog(path, file);
  for (const warning of file.warnings) options.warn?.(warning);
  return new SqliteLog(path, file, options);
}

class SqliteLog implements Log {
  readonly durable = true;
  readonly damage: Damage | undefined = undefined;
  readonly epoch: number;
  readonly id: string;
  readonly restorations: readonly Restoration[];
  readonly tree: MerkleTree;
  readonly #path: string;
  readonly #file: WholeFile;
  readonly #options: SqliteLogOptions;
  readonly #db: Database;
  readonly #do: Statements;
  readonly #groups: SqliteGroups;
  readonly #rows: SqliteRows;
  readonly #blobs: SqliteBlobs;
  readonly #erased: ErasedBytes;
  readonly #growth = new Growth();
  #first: number;
  #head: number;
  #lastAt: number;
  #open = true;

  constructor(path: string, file: WholeFile, options: SqliteLogOptions) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
    const { db, epoch, head, lastAt, writeBack } = file;
    this.#db = db;
    this.epoch = epoch;
    this.#head = head;
    this.#lastAt = lastAt;
    this.#do = prepare(db);
    try {
      this.id = readMeta<string>(this.#do, "log");
      this.#first = readMeta<number>(this.#do, "first");
      this.restorations = JSON.parse(readMeta<string>(this.#do, "restored")) as Restoration[];
      this.#groups = new SqliteGroups(this.#do);
      this.#rows = new SqliteRows(this.#do);
      this.#blobs = new SqliteBlobs(this.#do);
      this.tree = openTree(this.#do, this.#groups, head);
      this.#erased = new ErasedBytes(db, this.#do, path, writeBack);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  get first(): number {
    return this.#first;
  }

  get head(): number {
    return this.#head;
  }

  get lastAt(): number {
    return this.#lastAt;
  }

  get bytes(): { readonly file: number; readonly wal: number } {
    return { file: sizeOf(this.#path), wal: sizeOf(walOf(this.#path)) };
  }

  append(expectedHead: number, entries: readonly NewEntry[]): AppendResult {
    if (expectedHead !== this.#head) return { kind: "conflict", head: this.#head };
    const last = entries.at(-1);
    if (last === undefined) return { kind: "ok", head: this.#head };
    checkOrder(this.#lastAt, entries);
    const erasures = erasuresOf(entries);
    const tree = this.tree.mark();
    const written = this.#transaction(
      () => {
        if (erasures.length > 0) this.#erased.begin();
        const group = this.#groups.append(this.#head + 1, entries, this.tree);
        const sums = this.#rows.apply(entries);
        this.#blobs.add(entries);
        for (const { seq, parts } of erasures) {
          if (seq < this.#first || seq > this.#head + entries.length) continue;
          for (const name of this.#groups.erase({ seq, parts })) this.#blobs.release(name);
        }
        this.#options.beforeCommit?.();
        return { group, sums };
      },
      () => {
        this.tree.undo(tree);
        if (erasures.length > 0) this.#erased.pause();
      },
    );
    // The head moves only once the group is durable.
    this.#head += entries.length;
    this.#lastAt = last.at;
    this.#rows.settle(written.sums);
    if (erasures.length === 0) this.#groups.settle(written.group);
    else this.#erased.end();
    this.#growth.wake();
    return { kind: "ok", head: this.#head };
  }

  read(from: number, options: ReadOptions = {}): readonly StoredEntry[] {
    return readable(() => this.#read(from, options));
  }

  #read(from: number, { limit = 1000, reverse = false }: ReadOptions): readonly StoredEntry[] {
    const entries: StoredEntry[] = [];
    const step = reverse ? -1 : 1;
    let seq = reverse ? Math.min(from, this.#head) : Math.max(from, 1);
    while (entries.length < limit && seq >= this.#first && seq <= this.#head) {
      const { first, texts } = this.#groups.of(seq);
      for (let text = texts[seq - first]; text !== undefined && entries.length < limit; text = texts[seq - first]) {
        entries.push({ seq, text });
        seq += step;
      }
    }
    return entries;
  }

  tail(from: number, signal: AbortSignal): AsyncIterable<StoredEntry> {
    return this.#growth.tail(this, from, signal);
  }

  blob(name: string): string | undefined {
    return readable(() => this.#blobs.get(name));
  }

  trim(before: number, rows: readonly TrimmedRow[]): number {
    const slice = nextSlice(this.#groups, this.#first, before, this.#head);
    if (slice.groups.length === 0 && rows.length === 0) {
      this.#erased.end();
      return this.#first;
    }
    const sums = this.#transaction(
      () => {
        this.#erased.begin();
        for (const group of slice.groups) {
          for (const name of this.#groups.remove(group)) this.#blobs.release(name);
        }
        if (slice.first !== this.#first) writeMeta(this.#do, "first", slice.first);
        const removed = this.#rows.remove(goingWith(slice.first, rows));
        this.#options.beforeCommit?.();
        return removed;
      },
      () => this.#erased.pause(),
    );
    this.#first = slice.first;
    this.#rows.settle(sums);
    // The WAL, which still has the removed bytes, is emptied only after the last slice: emptying takes as long as a slice.
    if (slice.last) this.#erased.end();
    else this.#erased.pause();
    return this.#first;
  }

  find(id: string): number | undefined {
    const time = timeOfId(id);
    return time === undefined ? undefined : readable(() => this.#find(id, time));
  }

  #find(id: string, time: number): number | undefined {
    for (const { first } of this.#do.groupsAround.all(time, time + PROMPT, time + FIND_WINDOW)) {
      const seq = this.#groups.find(id, first);
      if (seq !== undefined) return seq;
    }
    return undefined;
  }

  row(table: string, key: string): string | undefined {
    return readable(() => this.#rows.get(table, key));
  }

  rows(
    table: string,
    { after, limit = 1000 }: { readonly after?: string; readonly limit?: number } = {},
  ): readonly StoredRow[] {
    return readable(() => this.#rows.range(table, after, limit));
  }

  snapshot(tables: readonly string[]): Iterable<StoredRow> {
    return this.#snapshot([...new Set(tables)], this.#head);
  }

  *#snapshot(tables: readonly string[], head: number): Generator<StoredRow, void, void> {
    for (const table of tables) {
      yield* this.#rows.all(table, () => {
        if (this.#head !== head) throw new Error("the log grew while its snapshot was read: read it before appending");
      });
    }
  }

  probe(): void {
    this.#transaction(() => this.#writeProbe());
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#growth.close();
    finalize(this.#do);
    this.#file.close();
  }

  /** Runs `work` as one durable transaction. If it fails, `undo` restores the state in memory. */
  #transaction<T>(work: () => T, undo?: () => void): T {
    // An earlier transaction is still open if its rollback failed too, on a full disk.
    if (this.#db.inTransaction) this.#do.rollback.run();
    this.#file.writeBack.rely();
    this.#do.begin.run();
    let committing = false;
    try {
      const result = work();
      committing = true;
      this.#do.commit.run();
      this.#file.writeBack.committed();
      return result;
    } catch (thrown) {
      this.#undo();
      undo?.();
      if (committing) this.#disown();
      throw thrown;
    }
  }

  /**
   * After a failed flush the WAL may contain a complete commit that callers were told had failed, and the next opening would accept it.
   * A small commit written over it invalidates it, whether that reaches the disk or only the cache (ADR 0014).
   */
  #disown(): void {
    try {
      this.#do.begin.run();
      this.#writeProbe();
      this.#do.commit.run();
    } catch {
      this.#undo();
    }
  }

  #writeProbe(): void {
    writeMeta(this.#do, "probe", readMeta<number>(this.#do, "probe") + 1);
  }

  /** SQLite has already rolled back some failures itself. Never throws, because that would hide why the group failed. */
  #undo(): void {
    try {
      if (this.#db.inTransaction) this.#do.rollback.run();
    } catch {
      // The next transaction tries again.
    }
  }
}

const NO_ERASURES: readonly Erasure[] = [];

/** Nearly all groups have none. */
function erasuresOf(entries: readonly NewEntry[]): readonly Erasure[] {
  let erasures = NO_ERASURES;
  for (const { erases } of entries) if (erases !== undefined && erases.length > 0) erasures = [...erasures, ...erases];
  return erasures;
}
