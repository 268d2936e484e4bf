// The one interface of a log. The kernel knows nothing else of where entries live; log/conformance.ts is the suite that
// every implementation passes. A log stores bytes and rows; it never decides.

export type Awaitable<T> = T | Promise<T>;

/** A row that an entry wrote: `json` is the row's serialised form, `undefined` where the row was removed. */
export interface RowChange {
  readonly table: string;
  readonly key: string;
  readonly json: string | undefined;
  /** There was no such row before: what a group puts and removes again need never reach the storage. */
  readonly fresh?: boolean;
}

/** An entry on its way into the log. `text` is exactly what is stored; it contains no U+0000. */
export interface NewEntry {
  /** The message's id. Ids are unique in a log, and carry the time at which they were made (message/id.ts). */
  readonly id: string;
  /** Milliseconds since the epoch; never less than the entry's before. */
  readonly at: number;
  readonly text: string;
  /** Changes of logged tables, in order. */
  readonly rows: readonly RowChange[];
}

/** An entry as it is stored. `seq` counts from 1 without a gap. */
export interface StoredEntry {
  readonly seq: number;
  readonly text: string;
}

export type AppendResult =
  | { readonly kind: "ok"; readonly head: number }
  | { readonly kind: "conflict"; readonly head: number };

export interface ReadOptions {
  /** At most this many entries; default 1,000. */
  readonly limit?: number;
  /** Downwards from `from`, newest first. */
  readonly reverse?: boolean;
}

export interface StoredRow {
  readonly table: string;
  readonly key: string;
  readonly json: string;
}

/**
 * An append-only sequence of entries, with the tables that they wrote materialised beside them.
 * Everything of one `append` becomes durable at once, or nothing of it does.
 */
export interface Log {
  /** Number of the last durable entry; 0 where there is none. */
  readonly head: number;
  /** `at` of the last durable entry; 0 where there is none. */
  readonly lastAt: number;
  /** The writer's epoch: grows by one each time that the log is opened for writing. */
  readonly epoch: number;
  /** Whether what is appended outlives the process. */
  readonly durable: boolean;
  /**
   * Appends the entries and applies their rows in one transaction, if `expectedHead` is still the head.
   * @throws whatever the storage throws (disk full, I/O); then nothing of it was appended.
   */
  append(expectedHead: number, entries: readonly NewEntry[]): Awaitable<AppendResult>;
  /** Entries from `from` (inclusive) on, at most `limit`; empty past either end. */
  read(from: number, options?: ReadOptions): Awaitable<readonly StoredEntry[]>;
  /** Entries from `from` on, those that come later included, until `signal` aborts. */
  tail(from: number, signal: AbortSignal): AsyncIterable<StoredEntry>;
  /** The number of the entry whose message has this id; `undefined` where there is none. */
  find(id: string): Awaitable<number | undefined>;
  /** One materialised row's JSON. */
  row(table: string, key: string): Awaitable<string | undefined>;
  /** The rows of a table by ascending key (code unit order), from `after` (exclusive) on; at most `limit`, default 1,000. */
  rows(table: string, range?: { readonly after?: string; readonly limit?: number }): Awaitable<readonly StoredRow[]>;
  /** Every row of the named tables as of `head`: what a start reads instead of deciding again. */
  snapshot(tables: readonly string[]): AsyncIterable<StoredRow> | Iterable<StoredRow>;
  /** Tries whether the log can be written now, by a durable write that appends nothing. @throws as `append` does. */
  probe(): Awaitable<void>;
  close(): Awaitable<void>;
}
