// Idempotency keys: a repeat joins the first. The key's row is written with the entry; a window of rows is in memory, and
// older ones are looked up where all of them lie, in the log's tables.

import type { Awaitable, Log, RowChange } from "../log/log.ts";
import type { Envelope } from "../message/message.ts";
import { KEY_TABLE, type KeyRow } from "./kernel-tables.ts";

/** Rows kept in memory once durable: enough for a client's own retries to be answered without the disk. */
const WINDOW = 16_384;

export class Keys {
  readonly #log: Log;
  readonly #recent = new Map<string, { readonly row: KeyRow; readonly seq: number }>();
  #durable: number;
  /** The newest entry whose key left the window: a look-up begun before that may have missed it. */
  #pruned = 0;

  constructor(log: Log) {
    this.#log = log;
    this.#durable = log.head;
  }

  /** The row of a key in the window: what was used since a `find` that had to wait is there. */
  recent(rowKey: string): KeyRow | undefined {
    return this.#kept(this.#recent.get(rowKey)?.row);
  }

  /** The row of a key that was used before. */
  find(rowKey: string): Awaitable<KeyRow | undefined> {
    const recent = this.recent(rowKey);
    if (recent !== undefined) return recent;
    const seen = this.#durable;
    const stored = this.#log.row(KEY_TABLE, rowKey);
    if (!(stored instanceof Promise)) return this.#kept(parseRow(stored));
    return stored.then(
      (json) => this.recent(rowKey) ?? (this.#pruned > seen ? this.find(rowKey) : this.#kept(parseRow(json))),
    );
  }

  /** A key whose entry was compacted away answers for nothing any more. */
  #kept(row: KeyRow | undefined): KeyRow | undefined {
    return row === undefined || row.seq < this.#log.first ? undefined : row;
  }

  /** Remembers the key with the entry that used it; answers the row to be written with that entry. */
  use(rowKey: string, used: Omit<KeyRow, "seq">, seq: number): RowChange {
    const row: KeyRow = { ...used, seq };
    this.#recent.set(rowKey, { row, seq });
    return { table: KEY_TABLE, key: rowKey, json: JSON.stringify(row) };
  }

  /** Entry `seq` stated rows of keys again: what is in memory is as they are. */
  restate(rows: readonly RowChange[], seq: number): void {
    for (const { table, key, json } of rows) {
      const row = table === KEY_TABLE ? parseRow(json) : undefined;
      if (row !== undefined) this.#recent.set(key, { row, seq });
    }
  }

  committed(durable: number): void {
    this.#durable = durable;
    if (this.#recent.size <= WINDOW) return;
    for (const [key, { seq }] of this.#recent) {
      if (this.#recent.size <= WINDOW || seq > durable) return;
      this.#recent.delete(key);
      this.#pruned = seq;
    }
  }

  undo(durable: number): void {
    for (const [key, { seq }] of this.#recent) if (seq > durable) this.#recent.delete(key);
  }
}

function parseRow(json: string | undefined): KeyRow | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as KeyRow);
}

/** A key is its principal's own: nobody can take another's by guessing it. */
export function keyRowKey(principal: string, key: string): string {
  return Bun.SHA256.hash(`${principal}\n${key}`, "base64url");
}

/** What a repeat must repeat: resource, verb and data. */
export function keyDigest(envelope: Envelope): string {
  const { resource, action, data } = envelope.message;
  return Bun.SHA256.hash(JSON.stringify([resource, action, data]), "base64url");
}
