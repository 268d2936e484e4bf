// Idempotency keys: a repeat joins the first. The key's row is written with the entry; a window of rows is in memory, and
// older ones are looked up where all of them lie, in the log's tables.

import type { Awaitable, Log, RowChange } from "../log/log.ts";
import { timeTextOf, timeTextOfNonce } from "../message/id.ts";
import { jsonText } from "../message/json-text.ts";
import type { Envelope } from "../message/message.ts";
import { KEY_TABLE, type KeyRow } from "./kernel-tables.ts";

/** What was asked before: the message that was, and whether by another way, and so maybe by somebody else. */
export interface Used extends KeyRow {
  readonly shared: boolean;
}

/** Rows kept in memory once durable: enough for a client's own retries to be answered without the disk. */
const WINDOW = 16_384;

export class Keys {
  readonly #log: Log;
  readonly #recent = new Map<string, { readonly row: KeyRow; readonly seq: number }>();
  #durable: number;
  /** Of the message that was asked for last: it is looked for, looked for again and written within one turn. */
  #named: Named = { principal: "", key: undefined, request: undefined, own: [], shared: undefined };
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

  /** What a message repeats, by its principal's key or as a request that came by another way. */
  repeated(asked: Asked): Awaitable<Used | undefined> {
    const named = this.#nameOf(asked);
    const own = this.#findAny(named.own);
    if (named.shared === undefined) return own instanceof Promise ? own.then(asOwn) : asOwn(own);
    const shared = this.find(named.shared);
    if (own instanceof Promise || shared instanceof Promise)
      return Promise.all([own, shared]).then(([one, other]) => asOwn(one) ?? asShared(other));
    return asOwn(own) ?? asShared(shared);
  }

  /** The same, as far as it is in the window. */
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

  /** The rows to be written with a message's entry. @param once what it does is done once for its request, however that comes */
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

type Asked = Pick<Envelope, "principal" | "key" | "request">;

/** Where the rows of a message's key may be, the first being where one is written, and where that of its request is. */
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
 * A key is its principal's own: nobody can take another's by guessing it. One that is an id of a message lies by its time, because rows
 * lie by their keys, and a hash alone would have each of them change another page of the file.
 */
export function keyRowKey(principal: string, key: string): string {
  const hash = Bun.SHA256.hash(`${principal}\n${key}`, "base64url");
  const time = timeTextOf(key);
  return time === undefined ? hash : `${time}.${hash}`;
}

/** Where the row of a key may be: as it is called now, and as it was before rows lay by time. */
export function keyRowKeys(principal: string, key: string): readonly string[] {
  const rowKey = keyRowKey(principal, key);
  return rowKey.length > HASH_CHARACTERS ? [rowKey, rowKey.slice(-HASH_CHARACTERS)] : [rowKey];
}

const HASH_CHARACTERS = 43; // SHA-256, base64url without padding

/** A request is whoever's has its id; no principal's name has a line's end in it. */
export function requestRowKey(request: string): string {
  return `${timeTextOfNonce(request)}.${Bun.SHA256.hash(`\nrequest ${request}`, "base64url")}`;
}

/** What a repeat must repeat: resource, verb and data. */
export function keyDigest(envelope: Envelope): string {
  const { resource, action, data } = envelope.message;
  return Bun.SHA256.hash(`[${JSON.stringify(resource)},${JSON.stringify(action)},${jsonText(data)}]`, "base64url");
}
