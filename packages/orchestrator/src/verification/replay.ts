// The tables as the entries make them, kept as hashes: each entry's rows part in order, and then whether what is stored is
// what came of it. Nothing of a row is kept but 16 bytes, or 32 of one that points to an entry.

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
  /** Of the tables that only the log keeps: the entries that their rows point to. A compaction forgets such rows. */
  readonly #pointers = new Map<string, Map64>();
  /** Entries that wrote nobody knows what: their rows parts are gone. */
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
    // A row is stored as it is serialised, and so is the same again once it was parsed.
    const json = JSON.stringify(row[0]);
    rows.set(name, this.#hasher.of(json));
    if (isCold(table)) tableOf(this.#pointers, table).set(name, wordsOf(entryIn(table, json)));
  }

  /** What the entry wrote is not known. */
  lose(entry: number): void {
    this.#lost.add(entry);
  }

  /** Whatever the entry wrote was written over since, or has been stated again. */
  recover(entry: number): void {
    this.#lost.delete(entry);
  }

  /** What follows states every row that there is, but for those of the tables that only the log keeps. */
  restate(): void {
    for (const table of [...this.#tables.keys()]) if (!isCold(table)) this.#tables.delete(table);
    this.#lost.clear();
  }

  /** Whether every row is known that there has to be. */
  get whole(): boolean {
    return this.#lost.size === 0;
  }

  /** Takes the row out, and says whether it was there as it is stored. Call it of each stored row, once. */
  settle(table: string, key: string, json: string): "as recorded" | "changed" | "unrecorded" {
    const rows = this.#tables.get(table);
    const name = this.#hasher.of(key);
    const recorded = rows?.get(name);
    if (rows === undefined || recorded === undefined) return "unrecorded";
    rows.delete(name);
    const stored = this.#hasher.of(json);
    return stored.high === recorded.high && stored.low === recorded.low ? "as recorded" : "changed";
  }

  /** How many rows no call of `settle` took out, by table; without those that point to entries before `forgotten`. */
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
