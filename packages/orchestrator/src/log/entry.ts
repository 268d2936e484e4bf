// The stored form of an entry. Its first line is a header (the Merkle leaf, RFC 6962 §2.1); each line after it is one part:
// a letter, a salt and JSON, of which the header holds the SHA-256. A part can so be erased and every proof still holds.
// Stored bytes are never serialised again. docs/log-format.md has every byte.
//
//   {"id":"m-…","message":"action.perform",…,"verdict":"done","b":"<digest>","r":"<digest>"}
//   b<22 characters of salt>{"data":{…}}
//   R<salt>sha256-<64 hex digits>                 kept beside the entry: more than 64 KiB

import type { Blob, RowChange, StoredEntry } from "./log.ts";
import { PARTS, type Part } from "./part.ts";

/** The header's fields, without the digests of the parts. */
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

/** Makes salts from a pool of random bytes: a call into the random source for each entry would cost more than the rest of encoding it. */
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

/** The JSON of a text that occurs again and again, from a cache. */
export function quote(text: string): string {
  let known = quoted.get(text);
  if (known === undefined) {
    if (quoted.size >= MOST_QUOTED) quoted.clear();
    known = JSON.stringify(text);
    quoted.set(text, known);
  }
  return known;
}

/** The header's middle, between id and time: mostly it is the same as in the entry before. */
let named = { message: "", node: "", principal: "", grant: "", text: "" };

function namesOf({ message, node, principal, grant }: Header): string {
  const same = message === named.message && principal === named.principal;
  if (!same || grant !== named.grant || node !== named.node) {
    const text = `,"message":${quote(message)},"node":${quote(node)},"principal":${quote(principal)},"grant":${quote(grant)},"at":`;
    named = { message, node, principal, grant, text };
  }
  return named.text;
}

/** A longer part is kept beside the entry, under a name made of its digest. In UTF-16 code units. */
export const LONGEST_INLINE = 64 * 1024;
const NO_BLOBS: readonly Blob[] = Object.freeze([]);

export interface EncodedEntry {
  readonly text: string;
  /** Header and parts. */
  readonly lines: readonly string[];
  readonly blobs: readonly Blob[];
}

/** The entry's stored text, and the parts that are too long to stand in it. */
export function encodeEntry(header: Header, parts: PartTexts, salt: () => string): EncodedEntry {
  let head = `{"id":"${header.id}"${namesOf(header)}${header.at}`;
  if (header.cause !== undefined) head += `,"cause":${JSON.stringify(header.cause)}`;
  head += `,"verdict":"${header.verdict}"`;
  const lines = [""];
  let text = "";
  let blobs = NO_BLOBS;
  for (const part of PARTS) {
    const json = parts[part];
    if (json === undefined) continue;
    let line: string;
    if (json.length <= LONGEST_INLINE) line = part + salt() + json;
    else {
      const blob = { name: blobName(json), text: json };
      blobs = [...blobs, blob];
      line = part.toUpperCase() + salt() + blob.name;
    }
    head += `,"${part}":"${partDigest(line)}"`;
    lines.push(line);
    text += `\n${line}`;
  }
  lines[0] = `${head}}`;
  return { text: lines[0] + text, lines, blobs };
}

/** The name of a part that is kept beside its entry: the algorithm, and the digest of its UTF-8 bytes. */
export function blobName(text: string): string {
  return `sha256-${Bun.SHA256.hash(text, "hex")}`;
}

/** Where a part is: in the entry, beside it, or erased. */
export type StoredPart =
  | { readonly kind: "inline"; readonly json: string }
  | { readonly kind: "blob"; readonly name: string }
  | { readonly kind: "erased" };

/** An entry read back. */
export interface DecodedEntry {
  readonly seq: number;
  readonly header: Header & { readonly [P in Part]?: string };
  /** `undefined` where it never had the part. */
  stored(part: Part): StoredPart | undefined;
  /**
   * The value of a part that the entry has in itself; `undefined` where it was erased, or never was.
   * @throws Error where it is kept beside the entry: `Reader.part` reads those too.
   */
  part(part: Part): unknown;
}

/** Reads a stored entry back. Its parts are parsed when they are asked for. */
export function decodeEntry(stored: StoredEntry): DecodedEntry {
  const lines = stored.text.split("\n");
  const header = JSON.parse(lines[0] as string) as DecodedEntry["header"];
  const storedPart = (part: Part): StoredPart | undefined => {
    if (header[part] === undefined) return undefined;
    for (let i = 1; i < lines.length; i++) {
      const line = lines[i] as string;
      if (line[0] === part) return { kind: "inline", json: line.slice(1 + SALT_CHARACTERS) };
      if (line[0] === part.toUpperCase()) return { kind: "blob", name: line.slice(1 + SALT_CHARACTERS) };
    }
    return { kind: "erased" };
  };
  return {
    seq: stored.seq,
    header,
    stored: storedPart,
    part(part) {
      const one = storedPart(part);
      if (one?.kind === "blob") throw new Error(`part ${part} of entry ${stored.seq} is kept beside it: ${one.name}`);
      return one?.kind === "inline" ? (JSON.parse(one.json) as unknown) : undefined;
    },
  };
}

/** The rows part: the entry's row changes as `[table, key, row]`, or `[table, key]` for a removed row. */
export function encodeRows(rows: readonly RowChange[]): string | undefined {
  if (rows.length === 0) return undefined;
  let text = "";
  for (const { table, key, json } of rows) {
    text += `${text === "" ? "[" : ","}["${table}",${JSON.stringify(key)}${json === undefined ? "" : `,${json}`}]`;
  }
  return `${text}]`;
}
