// The stored form of an entry. Its first line is a header (the Merkle leaf, RFC 6962 §2.1); each line after it is one part:
// a letter, a salt and JSON, of which the header holds the SHA-256. A part can so be erased and every proof still holds.
// Stored bytes are never serialised again.
//
//   {"id":"m-…","message":"action.perform",…,"verdict":"done","b":"<digest>","r":"<digest>"}
//   b<22 characters of salt>{"data":{…}}
//   r<salt>[["execution","x-…",{…}]]

import type { RowChange, StoredEntry } from "./log.ts";

/** Parts by letter: body, facts, rows, trace. */
export const PARTS = ["b", "f", "r", "t"] as const;
export type Part = (typeof PARTS)[number];

/** The header's fields but for the digests. Every string is data of the caller's or an id. */
export interface Header {
  readonly id: string;
  readonly message: string;
  readonly node: string;
  readonly principal: string;
  readonly grant: string;
  readonly at: number;
  readonly cause: string | undefined;
  readonly verdict: string;
}

/** A part's JSON, where the entry has it. */
export type PartTexts = { readonly [P in Part]?: string | undefined };

const SALT_BYTES = 16;
const SALT_CHARACTERS = 22; // 16 bytes, base64url without padding
const POOL_ENTRIES = 256;

/** Makes salts from a pool, because one call into the random source an entry would cost more than the rest of it. */
export function saltMaker(fill: (bytes: Uint8Array) => void): () => string {
  const pool = Buffer.alloc(SALT_BYTES * POOL_ENTRIES);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      fill(pool);
      at = 0;
    }
    at += SALT_BYTES;
    return pool.toString("base64url", at - SALT_BYTES, at);
  };
}

/** SHA-256 of a part's line as it is stored, letter and salt included. */
export function partDigest(line: string): string {
  return Bun.SHA256.hash(line, "base64url");
}

// Nodes, principals and grants are few, and every entry names one of each.
const quoted = new Map<string, string>();
const MOST_QUOTED = 4096;

function quote(text: string): string {
  let known = quoted.get(text);
  if (known === undefined) {
    if (quoted.size >= MOST_QUOTED) quoted.clear();
    known = JSON.stringify(text);
    quoted.set(text, known);
  }
  return known;
}

/** The entry's stored text. */
export function encodeEntry(header: Header, parts: PartTexts, salt: () => string): string {
  let head = `{"id":"${header.id}","message":${JSON.stringify(header.message)},"node":${quote(header.node)},"principal":${quote(header.principal)},"grant":${quote(header.grant)},"at":${header.at}`;
  if (header.cause !== undefined) head += `,"cause":${JSON.stringify(header.cause)}`;
  head += `,"verdict":"${header.verdict}"`;
  let lines = "";
  for (const part of PARTS) {
    const json = parts[part];
    if (json === undefined) continue;
    const line = part + salt() + json;
    head += `,"${part}":"${partDigest(line)}"`;
    lines += `\n${line}`;
  }
  return `${head}}${lines}`;
}

/** An entry read back. A part that was erased is `undefined`, and so is one that there never was. */
export interface DecodedEntry {
  readonly seq: number;
  readonly header: Header & { readonly [P in Part]?: string };
  part(part: Part): unknown;
}

export function decodeEntry(stored: StoredEntry): DecodedEntry {
  const lines = stored.text.split("\n");
  const header = JSON.parse(lines[0] as string) as DecodedEntry["header"];
  return {
    seq: stored.seq,
    header,
    part(part) {
      const line = lines.find((one, i) => i > 0 && one[0] === part);
      const json = line?.slice(1 + SALT_CHARACTERS);
      return json ? (JSON.parse(json) as unknown) : undefined;
    },
  };
}

/** The rows part: what `RowChange`s an entry made, as `[table, key, row]`, or `[table, key]` where it removed one. */
export function encodeRows(rows: readonly RowChange[]): string | undefined {
  if (rows.length === 0) return undefined;
  let text = "";
  for (const { table, key, json } of rows) {
    text += `${text === "" ? "[" : ","}["${table}",${JSON.stringify(key)}${json === undefined ? "" : `,${json}`}]`;
  }
  return `${text}]`;
}
