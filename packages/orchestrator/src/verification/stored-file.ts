// Reads a log's file for verification, piece by piece: entries, leaves, rows and blobs as they are stored. What SQLite cannot read is reported and
// skipped; nothing is changed.

import { type Database, SQLiteError } from "bun:sqlite";
import { unsortable } from "../log/key-order.ts";
import type { Restoration } from "../log/log.ts";
import { textsOf } from "../log/sqlite/group.ts";
import { HASH_BYTES, TILE_WIDTH } from "../log/tree/merkle-tile.ts";

/** Groups that are fetched at a time: fewer where they are large. */
const MOST_GROUPS = 256;
const PAGE_BYTES = 2 ** 20;
const PAGE_ROWS = 2000;
/** After so many bytes read a garbage collection is forced: by itself it came late, and the process grew to five times as much. */
const COLLECT_BYTES = 32 * 2 ** 20;

export interface StoredTexts {
  readonly first: number;
  readonly n: number;
  readonly at: number;
  readonly born: number;
  readonly texts: readonly string[];
}

export class StoredFile {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** A value of the table `meta`, whatever its checksum; `undefined` where there is none. */
  value(name: string): string | number | undefined {
    return this.#reading(() => {
      using one = this.#db.prepare<{ value: string | number }, [name: string]>("SELECT value FROM meta WHERE name = ?");
      return one.get(name)?.value;
    });
  }

  restorations(): readonly Restoration[] {
    try {
      return JSON.parse(String(this.value("restored") ?? "[]")) as Restoration[];
    } catch {
      // Its checksum is wrong then, which is reported elsewhere.
      return [];
    }
  }

  /** The groups in order. After one that cannot be read, the later ones are tried all the same. */
  *groups(): Generator<StoredTexts, void, void> {
    interface Row {
      readonly first: number;
      readonly n: number;
      readonly at: number;
      readonly born: number;
      readonly body: Uint8Array;
    }
    using page = this.#db.prepare<Row, [after: number, limit: number]>(
      "SELECT first, n, at, born, body FROM log WHERE first > ? ORDER BY first LIMIT ?",
    );
    for (let after = -1, limit = 1, read = 0; ; ) {
      const [from, most] = [after, limit];
      const rows = this.#reading(() => page.all(from, most));
      if (rows === undefined && limit === 1) return;
      if (rows?.length === 0) return;
      let bytes = 0;
      for (const { body, ...numbers } of rows ?? []) {
        after = numbers.first;
        bytes += body.length;
        yield { ...numbers, texts: textsOf(body) };
      }
      limit = rows === undefined || bytes > PAGE_BYTES ? 1 : Math.min(2 * limit, MOST_GROUPS);
      read += bytes;
      if (read < COLLECT_BYTES) continue;
      read = 0;
      Bun.gc(true);
    }
  }

  /** The hash of a leaf, by its index, as its tile has it. */
  leaf(index: number): Uint8Array | undefined {
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    const hash = this.#tile(Math.floor(index / TILE_WIDTH))?.subarray(at, at + HASH_BYTES);
    return hash?.length === HASH_BYTES ? hash.slice() : undefined;
  }

  *rows(): Generator<{ readonly table: string; readonly key: string; readonly json: string }, void, void> {
    interface Row {
      readonly tbl: string;
      readonly key: string;
      readonly json: string;
    }
    using page = this.#db.prepare<Row, [table: string, key: string, limit: number]>(
      "SELECT tbl, key, json FROM row WHERE (tbl, key) > (?, ?) ORDER BY tbl, key LIMIT ?",
    );
    for (let table = "", key = "", read = 0; ; ) {
      const [ofTable, after] = [table, key];
      const rows = this.#reading(() => page.all(ofTable, after, PAGE_ROWS));
      if (rows === undefined || rows.length === 0) return;
      for (const row of rows) {
        yield { table: row.tbl, key: unsortable(row.key), json: row.json };
        ({ tbl: table, key } = row);
        read += 2 * (row.key.length + row.json.length);
      }
      if (read < COLLECT_BYTES) continue;
      read = 0;
      Bun.gc(true);
    }
  }

  blob(name: string): string | undefined {
    return this.#reading(() => {
      using one = this.#db.prepare<{ body: Uint8Array }, [name: string]>("SELECT body FROM blob WHERE name = ?");
      const body = one.get(name)?.body;
      return body && Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
    });
  }

  blobs(): number {
    return (
      this.#reading(() => {
        using count = this.#db.prepare<{ count: number }, []>("SELECT count(*) AS count FROM blob");
        return count.get()?.count;
      }) ?? 0
    );
  }

  #latest: { readonly index: number; readonly hashes: Uint8Array | undefined } | undefined;

  /** A tile of level 0, where the id is the index. */
  #tile(index: number): Uint8Array | undefined {
    if (this.#latest?.index !== index) {
      const hashes = this.#reading(() => {
        using one = this.#db.prepare<{ hashes: Uint8Array }, [index: number]>("SELECT hashes FROM tile WHERE id = ?");
        return one.get(index)?.hashes;
      });
      this.#latest = { index, hashes };
    }
    return this.#latest.hashes;
  }

  /** `undefined` where SQLite cannot read: its own check has reported that already. */
  #reading<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (thrown) {
      if (thrown instanceof SQLiteError) return undefined;
      throw thrown;
    }
  }
}
