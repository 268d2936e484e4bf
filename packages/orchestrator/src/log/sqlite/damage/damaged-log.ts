// A damaged log, read-only: intact entries from the file, tables from memory. Reading a
// damaged part throws LOG_DAMAGED.

import { SQLiteError } from "bun:sqlite";
import { FaultError, fault } from "../../../fault/fault.ts";
import { timeOfId } from "../../../message/id.ts";
import { Growth } from "../../growth.ts";
import type { Damage, Log, LogTree, ReadOptions, Restoration, StoredEntry, StoredRow } from "../../log.ts";
import { damaged } from "../checksum.ts";
import { named, wayBack } from "../file-faults.ts";
import { SqliteBlobs } from "../sqlite-blobs.ts";
import { SqliteGroups } from "../sqlite-groups.ts";
import { openTree } from "../sqlite-tiles.ts";
import type { DamagedFile } from "./damaged-file.ts";

export function damagedLog(path: string, file: DamagedFile): Log {
  return new DamagedLog(path, file);
}

class DamagedLog implements Log {
  readonly durable = true;
  readonly id: string;
  readonly first: number;
  readonly head: number;
  readonly lastAt: number;
  readonly epoch: number;
  readonly restorations: readonly Restoration[];
  readonly damage: Damage;
  readonly tree: LogTree;
  readonly #path: string;
  readonly #file: DamagedFile;
  readonly #groups: SqliteGroups;
  readonly #blobs: SqliteBlobs;
  readonly #growth = new Growth();
  #open = true;

  constructor(path: string, file: DamagedFile) {
    this.#path = path;
    this.#file = file;
    this.id = file.id;
    this.first = file.first;
    this.head = file.head;
    this.lastAt = file.lastAt;
    this.epoch = file.epoch;
    this.restorations = file.restorations;
    this.damage = file.damage;
    this.#groups = new SqliteGroups(file.statements);
    this.#blobs = new SqliteBlobs(file.statements);
    this.tree = this.#openTree();
  }

  append(): never {
    throw this.#refusal();
  }

  probe(): never {
    throw this.#refusal();
  }

  trim(): never {
    throw this.#refusal();
  }

  read(from: number, { limit = 1000, reverse = false }: ReadOptions = {}): readonly StoredEntry[] {
    const entries: StoredEntry[] = [];
    const step = reverse ? -1 : 1;
    let seq = reverse ? Math.min(from, this.head) : Math.max(from, this.first);
    while (entries.length < limit && seq >= this.first && seq <= this.head) {
      const { first, texts } = this.#reading(`entry ${seq}`, () => this.#groups.of(seq));
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

  blob(name: string): string | undefined {
    return this.#reading(`the blob ${name}`, () => this.#blobs.get(name));
  }

  /** Scans without the index, which may be damaged as well. @throws FaultError LOG_DAMAGED where a damaged part may hold the id */
  find(id: string): number | undefined {
    if (timeOfId(id) === undefined) return undefined;
    let unread = false;
    for (let seq = this.head; seq >= this.first; ) {
      try {
        const { first } = this.#groups.stored(seq);
        const found = this.#groups.find(id, first);
        if (found !== undefined) return found;
        seq = first - 1;
      } catch (thrown) {
        if (!(thrown instanceof FaultError) && !(thrown instanceof SQLiteError)) throw thrown;
        unread = true;
        seq--;
      }
    }
    if (unread) throw damaged(`the entry of ${id}`, "it may be one of those that are damaged");
    return undefined;
  }

  row(table: string, key: string): string | undefined {
    return this.#file.tables.get(table)?.get(key);
  }

  rows(table: string, range: { readonly after?: string; readonly limit?: number } = {}): readonly StoredRow[] {
    const rows = this.#file.tables.get(table)?.range(range.after, range.limit ?? 1000) ?? [];
    return rows.map(([key, json]) => ({ table, key, json }));
  }

  snapshot(tables: readonly string[]): Iterable<StoredRow> {
    return [...new Set(tables)].flatMap((table) => this.rows(table, { limit: Number.POSITIVE_INFINITY }));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#growth.close();
    this.#file.close();
  }

  #openTree(): LogTree {
    try {
      return openTree(this.#file.statements, this.#groups, this.head);
    } catch (thrown) {
      if (!(thrown instanceof FaultError) && !(thrown instanceof SQLiteError)) throw thrown;
      return treeWithout(this.head, () => this.#refusal());
    }
  }

  #reading<T>(what: string, read: () => T): T {
    try {
      return read();
    } catch (thrown) {
      throw thrown instanceof SQLiteError ? damaged(what, thrown.message) : thrown;
    }
  }

  #refusal(): FaultError {
    const text = `the log is damaged, and is only read: ${named(this.damage.damaged)}; ${wayBack(this.#path)}`;
    return new FaultError(fault("LOG_DAMAGED", text, { path: this.#path }));
  }
}

/** The tree of a damaged log: it proves nothing. */
function treeWithout(size: number, refusal: () => FaultError): LogTree {
  const refuse = (): never => {
    throw refusal();
  };
  return { size, root: refuse, inclusion: refuse, consistency: refuse, leaves: refuse };
}
