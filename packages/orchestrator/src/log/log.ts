// The one interface of a log. The kernel knows nothing else of where entries live; log/conformance/conformance.ts is the suite that
// every implementation passes. A log stores bytes and rows; it never decides.

import type { Part } from "./part.ts";

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** A row that an entry wrote: `json` is the row's serialised form, `undefined` where the row was removed. */
export interface RowChange {
  readonly table: string;
  readonly key: string;
  readonly json: string | undefined;
  /** There was no such row before. If the same group removes it again, it need never reach the storage. */
  readonly fresh?: boolean;
}

/** An entry on its way into the log. `text` is exactly what is stored; it contains no U+0000. */
export interface NewEntry {
  /** The message's id. Ids are unique in a log, and carry the time at which they were made (message/id.ts). */
  readonly id: string;
  /** Milliseconds since the epoch; never less than the entry's before. */
  readonly at: number;
  readonly text: string;
  /** `text` split into its lines, where the maker has them: storage then need not join them. */
  readonly lines?: readonly string[];
  /** Changes of logged tables, in order. */
  readonly rows: readonly RowChange[];
  /** Parts that are kept beside the entry because of their size: all that `text` names (entry.ts), also those that the log has already. */
  readonly blobs?: readonly Blob[];
  /** Parts of earlier entries that this one erases. */
  readonly erases?: readonly Erasure[];
}

/** A part's JSON under the name of its content: `sha256-<64 hex digits>`. Equal content is kept once. */
export interface Blob {
  readonly name: string;
  readonly text: string;
}

/** A row to remove: with the slice, or where `entry` is given, once that entry is removed. */
export interface TrimmedRow extends Pick<RowChange, "table" | "key"> {
  readonly entry?: number;
}

/** Parts of an entry to erase, with their salts; their digests stay in its header. Parts that are missing already are ignored. */
export interface Erasure {
  readonly seq: number;
  readonly parts: readonly Part[];
}

/** An entry as it is stored. `seq` counts from 1 without a gap. */
export interface StoredEntry {
  readonly seq: number;
  readonly text: string;
}

/** The result of an append: the new head; or, on a conflict, the head that is there. */
export type AppendResult =
  | { readonly kind: "ok"; readonly head: number }
  | { readonly kind: "conflict"; readonly head: number };

export interface ReadOptions {
  /** At most this many entries; default 1,000. */
  readonly limit?: number;
  /** Downwards from `from`, newest first. */
  readonly reverse?: boolean;
}

/** A row as it is stored. */
export interface StoredRow {
  readonly table: string;
  readonly key: string;
  readonly json: string;
}

/**
 * The Merkle tree over the entries' headers (RFC 6962 §2.1; docs/log-format.md). A leaf's index is its entry's number less
 * one. Compaction removes entries and leaves the tree as it is.
 */
export interface LogTree {
  /** Leaves: the durable head. */
  readonly size: number;
  /** The root over the first `size` leaves, 32 bytes; default all. @throws RangeError past the end */
  root(size?: number): Awaitable<Uint8Array>;
  /** The audit path of a leaf in the tree of `size` leaves (RFC 6962 §2.1.1). @throws RangeError */
  inclusion(index: number, size: number): Awaitable<readonly Uint8Array[]>;
  /** The proof that the tree of `from` leaves is a prefix of that of `to` (RFC 6962 §2.1.2); empty for equal sizes and for 0. @throws RangeError */
  consistency(from: number, to: number): Awaitable<readonly Uint8Array[]>;
  /** Leaf hashes from `index` on, 32 bytes each, `count` at most. */
  leaves(index: number, count: number): Awaitable<Uint8Array>;
}

/** A restore: the backed-up log from which it went on. */
export interface Restoration {
  /** The writer's epoch that it began, greater than any before. */
  readonly epoch: number;
  /** Entries of the backup, and their root in base64. */
  readonly size: number;
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What is wrong with a log that opened all the same, read-only. */
export interface Damage {
  /** One line each: what is damaged, as `entries 880 to 912: the checksum does not fit`. */
  readonly damaged: readonly string[];
  /** One line: what is whole. */
  readonly whole: string;
}

/**
 * An append-only sequence of entries, with the tables that they wrote materialised beside them.
 * Everything of one `append` becomes durable at once, or nothing of it does.
 */
export interface Log {
  /** The log's permanent random id, which its checkpoints name: `l-` and 26 letters or digits. */
  readonly id: string;
  /** Number of the oldest entry that is kept: 1, unless the log was compacted. */
  readonly first: number;
  /** Number of the last durable entry; 0 where there is none. */
  readonly head: number;
  /** `at` of the last durable entry; 0 where there is none. */
  readonly lastAt: number;
  /** The writer's epoch: grows by one each time that the log is opened for writing. */
  readonly epoch: number;
  /** Whether what is appended outlives the process. */
  readonly durable: boolean;
  readonly tree: LogTree;
  /** The restores that this log went through, oldest first. */
  readonly restorations: readonly Restoration[];
  /** Set where the log is damaged: it can be read where it is whole, and every append is refused. */
  readonly damage: Damage | undefined;
  /** The bytes of its files, where it is on a disk. */
  readonly bytes?: { readonly file: number; readonly wal: number };
  /**
   * Appends the entries and applies their rows in one transaction, if `expectedHead` is still the head.
   * @throws whatever the storage throws (disk full, I/O); then nothing was appended
   */
  append(expectedHead: number, entries: readonly NewEntry[]): Awaitable<AppendResult>;
  /**
   * Entries from `from` (inclusive) on, at most `limit`; empty past either end.
   * @throws FaultError LOG_DAMAGED where an entry is damaged: a damaged entry is never answered
   */
  read(from: number, options?: ReadOptions): Awaitable<readonly StoredEntry[]>;
  /** Entries from `from` on, including those that are appended later, until `signal` aborts. */
  tail(from: number, signal: AbortSignal): AsyncIterable<StoredEntry>;
  /** The content of a blob; `undefined` where no entry refers to it any more. */
  blob(name: string): Awaitable<string | undefined>;
  /**
   * Removes entries before `before`, one slice of them, and these rows in the same transaction. The tree keeps their leaves. Answers the
   * oldest entry that is kept now. Call again until that is `before`, or no longer grows: a log may keep more than it was asked to.
   */
  trim(before: number, rows: readonly TrimmedRow[]): Awaitable<number>;
  /** The number of the entry whose message has this id; `undefined` where there is none. */
  find(id: string): Awaitable<number | undefined>;
  /** One materialised row's JSON. */
  row(table: string, key: string): Awaitable<string | undefined>;
  /** The rows of a table by ascending key (code unit order), from `after` (exclusive) on; at most `limit`, default 1,000. */
  rows(table: string, range?: { readonly after?: string; readonly limit?: number }): Awaitable<readonly StoredRow[]>;
  /** Every row of the named tables as of `head`: what a start reads instead of deciding again. */
  snapshot(tables: readonly string[]): AsyncIterable<StoredRow> | Iterable<StoredRow>;
  /** Tests whether the log can be written now, by a durable write that appends nothing. @throws as `append` does */
  probe(): Awaitable<void>;
  close(): Awaitable<void>;
}
