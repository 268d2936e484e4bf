// A log that lives as long as its process: for tests, and for nodes that are told to keep nothing.

import { blobsOf, withoutParts } from "../entry-parts.ts";
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
import { makeLogId } from "../log-id.ts";
import { checkGroup } from "../sqlite/group.ts";
import { goingWith } from "../sqlite/trim.ts";
import { MerkleTree, memoryTiles } from "../tree/merkle-tree.ts";
import { MemoryBlobs } from "./memory-blobs.ts";
import { MemoryTable } from "./memory-table.ts";

/** A log in memory: for tests, and for nodes that need not remember. */
export function memoryLog(): Log {
  return new MemoryLog();
}

class MemoryLog implements Log {
  readonly id = makeLogId();
  readonly epoch = 1;
  readonly durable = false;
  readonly damage: Damage | undefined = undefined;
  readonly restorations: readonly Restoration[] = [];
  readonly tree = new MerkleTree(memoryTiles());
  /** From `first` on. */
  #entries: StoredEntry[] = [];
  #ids: string[] = [];
  readonly #sequences = new Map<string, number>();
  readonly #tables = new Map<string, MemoryTable>();
  readonly #blobs = new MemoryBlobs();
  readonly #growth = new Growth();
  #first = 1;
  #lastAt = 0;

  get first(): number {
    return this.#first;
  }

  get head(): number {
    return this.#first + this.#entries.length - 1;
  }

  get lastAt(): number {
    return this.#lastAt;
  }

  append(expectedHead: number, entries: readonly NewEntry[]): AppendResult {
    if (expectedHead !== this.head) return { kind: "conflict", head: this.head };
    // All that can throw comes first, so that a refused group leaves nothing behind.
    checkGroup(this.#lastAt, entries);
    this.#blobs.add(entries);
    for (const entry of entries) {
      const newline = entry.text.indexOf("\n");
      this.tree.add(`\0${newline < 0 ? entry.text : entry.text.slice(0, newline)}`);
      this.#sequences.set(entry.id, this.head + 1);
      this.#ids.push(entry.id);
      this.#entries.push({ seq: this.head + 1, text: entry.text });
      for (const row of entry.rows) this.#table(row.table).change(row.key, row.json);
      this.#lastAt = entry.at;
    }
    for (const erasure of entries.flatMap(({ erases = [] }) => erases)) this.#erase(erasure);
    this.#growth.wake();
    return { kind: "ok", head: this.head };
  }

  read(from: number, { limit = 1000, reverse = false }: ReadOptions = {}): readonly StoredEntry[] {
    if (limit <= 0 || Math.max(from, 1) < this.#first) return [];
    if (!reverse) {
      const start = Math.max(from - this.#first, 0);
      return this.#entries.slice(start, start + limit);
    }
    const end = Math.max(Math.min(from, this.head) - this.#first + 1, 0);
    return this.#entries.slice(Math.max(end - limit, 0), end).reverse();
  }

  tail(from: number, signal: AbortSignal): AsyncIterable<StoredEntry> {
    return this.#growth.tail(this, from, signal);
  }

  blob(name: string): string | undefined {
    return this.#blobs.get(name);
  }

  trim(before: number, rows: readonly TrimmedRow[]): number {
    const gone = Math.min(Math.max(before - this.#first, 0), this.#entries.length);
    for (const { text } of this.#entries.splice(0, gone)) for (const name of blobsOf(text)) this.#blobs.release(name);
    for (const id of this.#ids.splice(0, gone)) this.#sequences.delete(id);
    this.#first += gone;
    for (const row of goingWith(this.#first, rows)) this.#table(row.table).change(row.key, undefined);
    return this.#first;
  }

  find(id: string): number | undefined {
    return this.#sequences.get(id);
  }

  row(table: string, key: string): string | undefined {
    return this.#tables.get(table)?.get(key);
  }

  rows(table: string, range: { readonly after?: string; readonly limit?: number } = {}): readonly StoredRow[] {
    const rows = this.#tables.get(table)?.range(range.after, range.limit ?? 1000) ?? [];
    return rows.map(([key, json]) => ({ table, key, json }));
  }

  snapshot(tables: readonly string[]): Iterable<StoredRow> {
    return [...new Set(tables)].flatMap((table) => this.rows(table, { limit: Number.POSITIVE_INFINITY }));
  }

  probe(): void {}

  close(): void {
    this.#growth.close();
  }

  #erase({ seq, parts }: Erasure): void {
    const entry = this.#entries[seq - this.#first];
    const erased = entry && withoutParts(entry.text, parts);
    if (erased === undefined) return;
    this.#entries[seq - this.#first] = { seq, text: erased.text };
    for (const name of erased.blobs) this.#blobs.release(name);
  }

  #table(name: string): MemoryTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = new MemoryTable();
    this.#tables.set(name, table);
    return table;
  }
}
