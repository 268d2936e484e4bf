// Idempotency keys: a repeat joins the first. The key's row is written with the entry; a window of rows is in memory, and
// older ones are looked up where all of them lie, in the log's tables.

import type { Awaitable, Log, RowChange } from "../log/log.ts";
import { timeTextOf, timeTextOfNonce } from "../message/id.ts";
import { jsonText } from "../message/json-text.ts";
import type { Envelope } from "../message/message.ts";
import { KEY_TABLE, type KeyRow } from "./kernel-tables.ts";

/** The earlier message that a call repeats. `shared`: not by its key, but by its request's id, and so maybe from another caller. */
export interface Used extends KeyRow {
  readonly shared: boolean;
}

/** Rows kept in memory once durable, at least: enough for a client's own retries to be answered without the disk. */
const WINDOW = 8192;

interface Recent {
  readonly row: KeyRow;
  readonly seq: number;
}

export class Keys {
  readonly #log: Log;
  /** The window, and the one before it, which goes as a whole: to take rows out one by one costs more than to put them in. */
  #recent = new Map<string, Recent>();
  #older = new Map<string, Recent>();
  /** The newest entries with a row in either. */
  #newest = 0;
  #newestOlder = 0;
  #durable: number;
  /** The row keys of the last message asked for: each message asks for them up to three times within one turn. */
  #named: Named = { principal: "", key: undefined, request: undefined, own: [], shared: undefined };
  /** The newest entry whose key left the window. A look-up on disk that began before that may have missed the row. */
  #pruned = 0;

  constructor(log: Log) {
    this.#log = log;
    this.#durable = log.head;
  }

  /** The row of a key, if it is in the window. */
  recent(rowKey: string): KeyRow | undefined {
    return this.#kept((this.#recent.get(rowKey) ?? this.#older.get(rowKey))?.row);
  }

  /** The row of a key, wherever it is; `undefined` where the key was not used. */
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

  /** A key whose entry was compacted away no longer counts as used. */
  #kept(row: KeyRow | undefined): KeyRow | undefined {
    return row === undefined || row.seq < this.#log.first ? undefined : row;
  }

  async #findLater(rowKeys: readonly string[]): Promise<KeyRow | undefined> {
    for (const rowKey of rowKeys) {
      const row = await this.find(rowKey);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  #findAny(rowKeys: readonly string[]): Awaitable<KeyRow | undefined> {
    for (let i = 0; i < rowKeys.length; i++) {
      const row = this.find(rowKeys[i] as string);
      if (row instanceof Promise) return row.then((found) => found ?? this.#findLater(rowKeys.slice(i + 1)));
      if (row !== undefined) return row;
    }
    return undefined;
  }

  /** The message that this one repeats: by its principal's key, or by its request's id, where the request came by another path. */
  repeated(asked: Asked): Awaitable<Used | undefined> {
    const named = this.#nameOf(asked);
    const own = this.#findAny(named.own);
    if (named.shared === undefined) return own instanceof Promise ? own.then(asOwn) : asOwn(own);
    const shared = this.find(named.shared);
    if (own instanceof Promise || shared instanceof Promise)
      return Promise.all([own, shared]).then(([one, other]) => asOwn(one) ?? asShared(other));
    return asOwn(own) ?? asShared(shared);
  }

  /** Like `repeated`, but looks in the window only. */
  repeatedLately(asked: Asked): Used | undefined {
    const { own, shared } = this.#nameOf(asked);
    const row = own[0] === undefined ? undefined : this.recent(own[0]);
    return asOwn(row) ?? asShared(shared === undefined ? undefined : this.recent(shared));
  }

  #nameOf({ principal, key, request }: Asked): Named {
    const last = this.#named;
    if (last.principal === principal && last.key === key && last.request === request) return last;
    const own = key === undefined ? [] : keyRowKeys(principal, key);
    const shared = request === undefined ? undefined : requestRowKey(request);
    this.#named = { principal, key, request, own, shared };
    return this.#named;
  }

  /** The rows to be written with a message's entry. @param once it is done once for its request (`PassedResult.once`) */
  rowsOf(envelope: Envelope, seq: number, once: boolean): readonly RowChange[] {
    const { key, request } = envelope;
    if (key === undefined && (request === undefined || !once)) return NO_ROWS;
    const used = { id: envelope.id, digest: keyDigest(envelope) };
    const { own, shared } = this.#nameOf(envelope);
    const rows = own[0] === undefined ? [] : [this.use(own[0], used, seq)];
    return shared === undefined || !once ? rows : [...rows, this.use(shared, used, seq)];
  }

  /** Remembers the key with the entry that used it; answers the row to be written with that entry. */
  use(rowKey: string, used: Omit<KeyRow, "seq">, seq: number): RowChange {
    const row: KeyRow = { ...used, seq };
    this.#remember(rowKey, row, seq);
    // It was looked for, and not found; one that was compacted away is overwritten all the same.
    return { table: KEY_TABLE, key: rowKey, json: JSON.stringify(row), fresh: true };
  }

  /** Entry `seq` repeats rows of keys: those in memory are replaced by them. */
  restate(rows: readonly RowChange[], seq: number): void {
    for (const { table, key, json } of rows) {
      const row = table === KEY_TABLE ? parseRow(json) : undefined;
      if (row !== undefined) this.#remember(key, row, seq);
    }
  }

  #remember(rowKey: string, row: KeyRow, seq: number): void {
    this.#recent.set(rowKey, { row, seq });
    this.#newest = seq;
  }

  committed(durable: number): void {
    this.#durable = durable;
    // What is not durable may yet be undone.
    if (this.#recent.size < WINDOW || this.#newestOlder > durable) return;
    this.#pruned = this.#newestOlder;
    this.#older = this.#recent;
    this.#newestOlder = this.#newest;
    this.#recent = new Map();
  }

  undo(durable: number): void {
    for (const window of [this.#recent, this.#older])
      for (const [key, { seq }] of window) if (seq > durable) window.delete(key);
  }
}

type Asked = Pick<Envelope, "principal" | "key" | "request">;

/** Under which row keys a message's key may be stored (new rows go under the first), and its request. */
interface Named extends Asked {
  readonly own: readonly string[];
  readonly shared: string | undefined;
}

export const NO_ROWS: readonly RowChange[] = Object.freeze([]);

const asOwn = (row: KeyRow | undefined): Used | undefined => row && { ...row, shared: false };
const asShared = (row: KeyRow | undefined): Used | undefined => row && { ...row, shared: true };

function parseRow(json: string | undefined): KeyRow | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as KeyRow);
}

/**
 * The row key of a principal's idempotency key: a hash of both, so that nobody can use up another's keys. If the key is itself a message id, its
 * time comes first: rows are stored in the order of their keys, and a hash alone would touch another page of the file with each.
 */
export function keyRowKey(principal: string, key: string): string {
  const hash = Bun.SHA256.hash(`${principal}\n${key}`, "base64url");
  const time = timeTextOf(key);
  return time === undefined ? hash : `${time}.${hash}`;
}

/** The row keys under which a key may be stored: today's form, and the older one without the time. */
export function keyRowKeys(principal: string, key: string): readonly string[] {
  const rowKey = keyRowKey(principal, key);
  return rowKey.length > HASH_CHARACTERS ? [rowKey, rowKey.slice(-HASH_CHARACTERS)] : [rowKey];
}

const HASH_CHARACTERS = 43; // SHA-256, base64url without padding

/** The row key of a request's id, which belongs to no principal. The newline first keeps it apart from `keyRowKey`: no principal's name has one. */
export function requestRowKey(request: string): string {
  return `${timeTextOfNonce(request)}.${Bun.SHA256.hash(`\nrequest ${request}`, "base64url")}`;
}

/** What a repeat must repeat: resource, verb and data. */
export function keyDigest(envelope: Envelope): string {
  const { resource, action, data } = envelope.message;
  return Bun.SHA256.hash(`[${JSON.stringify(resource)},${JSON.stringify(action)},${jsonText(data)}]`, "base64url");
}
