// Replays the entries' row changes, keeping only hashes, and then compares with the stored rows. It keeps 16 bytes of each row, or 32 of one that
// points to an entry.

import { entryIn } from "../pipeline/upkeep/trimming.ts";
import { COLD_TABLES } from "../state/table.ts";
import { Hasher64 } from "./hash64.ts";
import { type Hash64, Map64 } from "./map64.ts";

/** `[table, key, row]`, or `[table, key]` where the row was removed. */
export type RecordedRow = readonly [table: string, key: string, row?: unknown];

const WORD = 2 ** 32;
/** Stands for the entries before the oldest that is kept. */
const BEFORE_THE_FIRST = 0;

export class Replay {
  readonly #hasher: Hasher64;
  readonly #tables = new Map<string, Map64>();
  /** For tables that are kept on disk only: the entries that their rows point to. A compaction removes such rows. */
  readonly #pointers = new Map<string, Map64>();
  /** Entries whose rows parts are missing, so that nobody knows what they wrote. */
  readonly #lost = new Set<number>();

  /** @param fromTheStart whether the first entry of all is the first that is replayed */
  constructor(fromTheStart: boolean, hasher = new Hasher64()) {
    this.#hasher = hasher;
    if (!fromTheStart) this.#lost.add(BEFORE_THE_FIRST);
  }

  apply([table, key, ...row]: RecordedRow): void {
    const rows = tableOf(this.#tables, table);
    const name = this.#hasher.of(key);
    if (row.length === 0) {
      rows.delete(name);
      return;
    }
    // Rows are stored as JSON.stringify writes them, and so are equal again after parsing.
    const json = JSON.stringify(row[0]);
    rows.set(name, this.#hasher.of(json));
    if (isCold(table)) tableOf(this.#pointers, table).set(name, wordsOf(entryIn(table, json)));
  }

  /** The entry's row changes are not known. */
  lose(entry: number): void {
    this.#lost.add(entry);
  }

  /** Later entries have replaced or repeated all that the entry wrote. */
  recover(entry: number): void {
    this.#lost.delete(entry);
  }

  /** From here on every row is repeated, except those of tables that are kept on disk only. */
  restate(): void {
    for (const table of [...this.#tables.keys()]) if (!isCold(table)) this.#tables.delete(table);
    this.#lost.clear();
  }

  /** Whether all rows are known. */
  get whole(): boolean {
    return this.#lost.size === 0;
  }

  /** Compares a stored row with the replayed one and removes that. To be called once for each stored row. */
  settle(table: string, key: string, json: string): "as recorded" | "changed" | "unrecorded" {
    const rows = this.#tables.get(table);
    const name = this.#hasher.of(key);
    const recorded = rows?.get(name);
    if (rows === undefined || recorded === undefined) return "unrecorded";
    rows.delete(name);
    const stored = this.#hasher.of(json);
    return stored.high === recorded.high && stored.low === recorded.low ? "as recorded" : "changed";
  }

  /** By table, how many replayed rows had no stored one; without those that point to entries before `forgotten`. */
  left(forgotten: number): ReadonlyMap<string, number> {
    const left = new Map<string, number>();
    for (const [table, rows] of this.#tables) {
      const pointers = this.#pointers.get(table);
      let count = 0;
      for (const name of rows.keys()) if (numberOf(pointers?.get(name)) >= forgotten) count++;
      if (count > 0) left.set(table, count);
    }
    return left;
  }
}

function tableOf(tables: Map<string, Map64>, name: string): Map64 {
  let rows = tables.get(name);
  if (rows === undefined) {
    rows = new Map64();
    tables.set(name, rows);
  }
  return rows;
}

function isCold(table: string): boolean {
  return (COLD_TABLES as readonly string[]).includes(table);
}

function wordsOf(number: number): Hash64 {
  return { high: Math.floor(number / WORD), low: number % WORD };
}

function numberOf(words: Hash64 | undefined): number {
  return words === undefined ? Number.POSITIVE_INFINITY : words.high * WORD + words.low;
}
