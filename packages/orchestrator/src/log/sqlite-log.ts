// The log on one SQLite file: one row a group commit, and the tables materialised in the same transaction. Everything runs
// synchronously on the main thread; a worker was measured slower. Opening and its refusals: sqlite-file.ts.

import type { Database } from "bun:sqlite";
import { timeOfId } from "../message/id.ts";
import { bornOf, FIND_WINDOW, PROMPT } from "./find-window.ts";
import { checkGroup, decodeGroup, encodeGroup, positionOf } from "./group.ts";
import { Growth } from "./growth.ts";
import { sortable, unsortable } from "./key-order.ts";
import type { AppendResult, Log, NewEntry, ReadOptions, StoredEntry, StoredRow } from "./log.ts";
import { coalesce } from "./row-changes.ts";
import { closeFile, openFile } from "./sqlite-file.ts";
import { prepare, type Statements } from "./statements.ts";

export interface SqliteLogOptions {
  /** Runs last in the transaction of each append; what it throws undoes the group. For tests of failures. */
  readonly beforeCommit?: () => void;
}

/**
 * Opens the log in the file `path`, and makes it where there is none.
 * @throws FaultError `LOG_LOCKED`, `LOG_NEWER`, `LOG_DAMAGED` or `LOG_UNAVAILABLE`.
 */
export function sqliteLog(path: string, options: SqliteLogOptions = {}): Log {
  return new SqliteLog(path, options);
}

const SNAPSHOT_PAGE = 1000;

interface Group {
  readonly first: number;
  readonly texts: readonly string[];
}

class SqliteLog implements Log {
  readonly durable = true;
  readonly epoch: number;
  readonly #path: string;
  readonly #options: SqliteLogOptions;
  readonly #db: Database;
  readonly #do: Statements;
  readonly #growth = new Growth();
  #head: number;
  #lastAt: number;
  /** The group that was written or read last: what tails and the reading of one entry after another ask for. */
  #latest: Group = { first: 0, texts: [] };
  #open = true;

  constructor(path: string, options: SqliteLogOptions) {
    this.#path = path;
    this.#options = options;
    const { db, epoch, head, lastAt } = openFile(path);
    this.#db = db;
    this.epoch = epoch;
    this.#head = head;
    this.#lastAt = lastAt;
    this.#do = prepare(db);
  }

  get head(): number {
    return this.#head;
  }

  get lastAt(): number {
    return this.#lastAt;
  }

  append(expectedHead: number, entries: readonly NewEntry[]): AppendResult {
    if (expectedHead !== this.#head) return { kind: "conflict", head: this.#head };
    const last = entries.at(-1);
    if (last === undefined) return { kind: "ok", head: this.#head };
    checkGroup(this.#lastAt, entries);
    const first = this.#head + 1;
    const texts = entries.map((entry) => entry.text);
    this.#transaction(() => {
      this.#do.appendGroup.run(first, texts.length, last.at, bornOf(entries, last.at), encodeGroup(texts));
      this.#apply(entries);
      this.#options.beforeCommit?.();
    });
    // Only what is durable moves the head.
    this.#head += texts.length;
    this.#lastAt = last.at;
    this.#latest = { first, texts };
    this.#growth.wake();
    return { kind: "ok", head: this.#head };
  }

  read(from: number, { limit = 1000, reverse = false }: ReadOptions = {}): readonly StoredEntry[] {
    const entries: StoredEntry[] = [];
    const step = reverse ? -1 : 1;
    let seq = reverse ? Math.min(from, this.#head) : Math.max(from, 1);
    while (entries.length < limit && seq >= 1 && seq <= this.#head) {
      const { first, texts } = this.#groupOf(seq);
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

  find(id: string): number | undefined {
    const time = timeOfId(id);
    if (time === undefined) return undefined;
    for (const { first } of this.#do.groupsAround.all(time, time + PROMPT, time + FIND_WINDOW)) {
      const group = this.#do.groupAt.get(first);
      const position = group === null ? undefined : positionOf(id, group.body);
      if (position !== undefined) return first + position;
    }
    return undefined;
  }

  row(table: string, key: string): string | undefined {
    return this.#do.row.get(table, sortable(key))?.json;
  }

  rows(
    table: string,
    { after, limit = 1000 }: { readonly after?: string; readonly limit?: number } = {},
  ): readonly StoredRow[] {
    // To SQLite a negative limit is none.
    const most = Math.min(Math.max(limit, 0), Number.MAX_SAFE_INTEGER);
    const rows =
      after === undefined ? this.#do.rows.all(table, most) : this.#do.rowsAfter.all(table, sortable(after), most);
    return rows.map((row) => ({ table, key: unsortable(row.key), json: row.json }));
  }

  snapshot(tables: readonly string[]): Iterable<StoredRow> {
    return this.#snapshot([...new Set(tables)], this.#head);
  }

  /** Page by page, because a million rows at once would double the memory of a start. */
  *#snapshot(tables: readonly string[], head: number): Generator<StoredRow, void, void> {
    for (const table of tables) {
      for (let page: readonly StoredRow[] | undefined; page === undefined || page.length === SNAPSHOT_PAGE; ) {
        if (this.#head !== head) throw new Error("the log grew while its snapshot was read: read it before appending");
        const after = page?.at(-1)?.key;
        page = this.rows(table, { limit: SNAPSHOT_PAGE, ...(after === undefined ? {} : { after }) });
        yield* page;
      }
    }
  }

  probe(): void {
    this.#transaction(() => this.#do.probe.run());
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#growth.close();
    for (const statement of Object.values(this.#do)) statement.finalize();
    closeFile(this.#db, this.#path);
  }

  #apply(entries: readonly NewEntry[]): void {
    for (const [table, rows] of coalesce(entries)) {
      for (const [key, json] of rows) {
        // Removing a row that never was there is a look-up of 0.6 µs and writes nothing; knowing it would cost more.
        if (json === undefined) this.#do.removeRow.run(table, sortable(key));
        else this.#do.putRow.run(table, sortable(key), json);
      }
    }
  }

  /** All of `work` becomes durable, or nothing of it. */
  #transaction(work: () => void): void {
    // Left open where undoing an earlier one failed too, on a disk that had no room even for that.
    if (this.#db.inTransaction) this.#do.rollback.run();
    this.#do.begin.run();
    try {
      work();
      this.#do.commit.run();
    } catch (thrown) {
      this.#undo();
      throw thrown;
    }
  }

  /** SQLite has undone some failures by itself; what is thrown here would hide why the group failed. */
  #undo(): void {
    try {
      if (this.#db.inTransaction) this.#do.rollback.run();
    } catch {
      // The next transaction tries again.
    }
  }

  #groupOf(seq: number): Group {
    const { first, texts } = this.#latest;
    if (seq >= first && seq < first + texts.length) return this.#latest;
    const stored = this.#do.groupOf.get(seq);
    if (stored === null) throw new Error(`no group holds entry ${seq}, though the head is ${this.#head}`);
    this.#latest = { first: stored.first, texts: decodeGroup(stored.first, stored.n, stored.body) };
    return this.#latest;
  }
}
