// What somebody can do who may write a log's files and has no key: change what they like, and make everything fit again that
// is made without a key: digests of parts, leaves, tiles, checksums, sums of tables. It is written from docs/log-format.md and
// docs/storage.md, and shares no code with what has to find it.

import { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";

const TILE = 256;
const TABLES_MODULUS = 2 ** 52;
const PART_LETTERS = ["b", "f", "r", "t"];
const SALT = 22;

export interface ForgedEntry {
  header: Record<string, unknown>;
  /** Lines as they are stored: letter, salt, JSON or the name of content. */
  parts: string[];
}

export interface ForgedRow {
  tbl: string;
  key: string;
  json: string;
}

export const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const crc32 = (bytes: string | Uint8Array, before = 0): number => Bun.hash.crc32(bytes, before);

export class Forger {
  readonly db: Database;
  readonly #path: string;
  entries: ForgedEntry[] = [];
  rows: ForgedRow[] = [];

  constructor(path: string) {
    this.#path = path;
    this.db = new Database(path);
    for (const { body } of this.db.query("SELECT body FROM log ORDER BY first").all() as { body: Uint8Array }[]) {
      for (const text of Buffer.from(body).toString("utf8").split("\0").slice(1)) this.entries.push(parsed(text));
    }
    this.rows = this.db.query("SELECT tbl, key, json FROM row ORDER BY tbl, key").all() as ForgedRow[];
  }

  /** The digests of its parts, in their order, as its header should have them. */
  static redigest({ header, parts }: ForgedEntry): void {
    for (const letter of PART_LETTERS) delete header[letter];
    for (const part of parts) header[(part[0] as string).toLowerCase()] = sha256(part).toString("base64url");
  }

  /** A value of the log's, with its checksum. */
  setMeta(name: string, value: string | number): void {
    this.db.run("INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)", [
      name,
      value,
      crc32(`${name}\0${value}`),
    ]);
  }

  /** Writes all of it, with everything that needs no key, and closes the file. `first` is that of the entries. */
  finish({ first = 1, leaves = [] }: { readonly first?: number; readonly leaves?: readonly Buffer[] } = {}): void {
    this.db.run("BEGIN");
    this.db.run("DELETE FROM log");
    const all = [...leaves];
    for (const [i, entry] of this.entries.entries()) {
      const text = textOf(entry);
      const body = Buffer.from(`\0${text}`);
      const at = Number(entry.header.at);
      const born = Math.min(at, timeOf(String(entry.header.id)));
      const sum = crc32(body, crc32(`${first + i} 1 ${at} ${born}`));
      this.db.run("INSERT INTO log (first, n, at, born, body, sum) VALUES (?, 1, ?, ?, ?, ?)", [
        ...[first + i, at, born],
        body,
        sum,
      ]);
      all.push(sha256("\0", text.split("\n")[0] as string));
    }
    this.#writeTiles(all);
    this.#writeRows();
    this.#countBlobs();
    this.db.run("COMMIT");
    this.close();
  }

  /** Leaves what was done to the database as it is. */
  close(): void {
    this.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    this.db.close(true);
    rmSync(`${this.#path}-sums`, { force: true });
  }

  /** The leaves of the entries as they are now. */
  leaves(): Buffer[] {
    return this.entries.map((entry) => sha256("\0", JSON.stringify(entry.header)));
  }

  #writeTiles(leaves: readonly Buffer[]): void {
    this.db.run("DELETE FROM tile");
    let hashes = [...leaves];
    for (let level = 0; hashes.length > 0; level++) {
      const roots: Buffer[] = [];
      for (let index = 0; index * TILE < hashes.length; index++) {
        const tile = hashes.slice(index * TILE, (index + 1) * TILE);
        // One that still grows is not stored.
        if (tile.length < TILE) continue;
        roots.push(rootOf(tile));
        this.writeTile(level, index, Buffer.concat(tile));
      }
      hashes = roots;
    }
  }

  writeTile(level: number, index: number, hashes: Buffer): void {
    const id = -BigInt(level) * 2n ** 48n + BigInt(index);
    const sum = crc32(hashes, crc32(`${level} ${index} `));
    this.db.run("INSERT OR REPLACE INTO tile (id, hashes, sum) VALUES (?, ?, ?)", [id, hashes, sum]);
  }

  #writeRows(): void {
    this.db.run("DELETE FROM row");
    const tables: Record<string, [count: number, sum: number]> = {};
    for (const { tbl, key, json } of this.rows) {
      const sum = crc32(`${tbl}\0${key}\0${json}`);
      this.db.run("INSERT INTO row (tbl, key, json, sum) VALUES (?, ?, ?, ?)", [tbl, key, json, sum]);
      const [count, total] = tables[tbl] ?? [0, 0];
      tables[tbl] = [count + 1, (total + sum) % TABLES_MODULUS];
    }
    this.setMeta("tables", JSON.stringify(tables));
  }

  #countBlobs(): void {
    const names = this.entries.flatMap(({ parts }) =>
      parts.filter((part) => /^[A-Z]/.test(part)).map((part) => part.slice(1 + SALT)),
    );
    for (const { name } of this.db.query("SELECT name FROM blob").all() as { name: string }[]) {
      const refs = names.filter((one) => one === name).length;
      if (refs === 0) this.db.run("DELETE FROM blob WHERE name = ?", [name]);
      else this.db.run("UPDATE blob SET refs = ?, sum = ? WHERE name = ?", [refs, crc32(`${name}\0${refs}`), name]);
    }
  }
}

function parsed(text: string): ForgedEntry {
  const [header = "", ...parts] = text.split("\n");
  return { header: JSON.parse(header) as Record<string, unknown>, parts };
}

export function textOf({ header, parts }: ForgedEntry): string {
  return [JSON.stringify(header), ...parts].join("\n");
}

export function rootOf(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 0) return sha256("");
  if (hashes.length === 1) return hashes[0] as Buffer;
  const middle = 2 ** Math.ceil(Math.log2(hashes.length) - 1);
  return sha256(Buffer.of(1), rootOf(hashes.slice(0, middle)), rootOf(hashes.slice(middle)));
}

/** The time in an id: nine characters of Crockford's base 32 after its dash. */
function timeOf(id: string): number {
  let time = 0;
  for (const digit of id.slice(id.indexOf("-") + 1).slice(0, 9)) {
    time = time * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(digit);
  }
  return time;
}
