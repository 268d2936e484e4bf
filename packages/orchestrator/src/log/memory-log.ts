// A log that lives as long as its process: for tests, and for nodes that are told to keep nothing.

import { checkGroup } from "./group.ts";
import { Growth } from "./growth.ts";
import type { AppendResult, Log, NewEntry, ReadOptions, StoredEntry, StoredRow } from "./log.ts";
import { MemoryTable } from "./memory-table.ts";

export function memoryLog(): Log {
  return new MemoryLog();
}

class MemoryLog implements Log {
  readonly epoch = 1;
  readonly durable = false;
  readonly #entries: StoredEntry[] = [];
  readonly #sequences = new Map<string, number>();
  readonly #tables = new Map<string, MemoryTable>();
  readonly #growth = new Growth();
  #lastAt = 0;

  get head(): number {
    return this.#entries.length;
  }

  get lastAt(): number {
    return this.#lastAt;
  }

  append(expectedHead: number, entries: readonly NewEntry[]): AppendResult {
    if (expectedHead !== this.head) return { kind: "conflict", head: this.head };
    // All that can throw comes first, so that a refused group leaves nothing behind.
    checkGroup(this.#lastAt, entries);
    for (const entry of entries) {
      const seq = this.#entries.push({ seq: this.head + 1, text: entry.text });
      this.#sequences.set(entry.id, seq);
      for (const row of entry.rows) this.#table(row.table).change(row.key, row.json);
      this.#lastAt = entry.at;
    }
    this.#growth.wake();
    return { kind: "ok", head: this.head };
  }

  read(from: number, { limit = 1000, reverse = false }: ReadOptions = {}): readonly StoredEntry[] {
    if (limit <= 0) return [];
    if (!reverse) {
      const start = Math.max(from, 1) - 1;
      return this.#entries.slice(start, start + limit);
    }
    const end = Math.max(Math.min(from, this.head), 0);
    return this.#entries.slice(Math.max(end - limit, 0), end).reverse();
  }

  tail(from: number, signal: AbortSignal): AsyncIterable<StoredEntry> {
    return this.#growth.tail(this, from, signal);
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

  #table(name: string): MemoryTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = new MemoryTable();
    this.#tables.set(name, table);
    return table;
  }
}
