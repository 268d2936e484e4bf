// The stored form of a group: the entries of one commit in one body, each after a 0x00 byte. The byte is the leaf prefix of
// RFC 6962 §2.1, so that a Merkle leaf is hashed in place; JSON text never contains it, so that it also separates.

import type { NewEntry } from "../log.ts";
import { damaged, entries as named } from "./checksum.ts";

const LEAF_PREFIX = "\0";
const NEWLINE = 0x0a;
/** The most UTF-8 bytes for one UTF-16 code unit. */
const MOST_BYTES_A_UNIT = 3;
/** The buffer in which bodies are encoded, reused because a new one for each body was measured at five times the cost. */
let scratch = Buffer.allocUnsafeSlow(2 ** 20);
/** A larger buffer is not kept. */
const LARGEST_KEPT = 8 * 2 ** 20;

/**
 * Refuses entries that could not be read back as they were given.
 * @throws Error: a bug of the caller, before anything of the group is stored.
 */
export function checkGroup(lastAt: number, entries: readonly NewEntry[]): void {
  checkOrder(lastAt, entries);
  for (const { id, text } of entries) {
    if (text.includes(LEAF_PREFIX)) throw new Error(`entry ${id} contains U+0000, which separates entries`);
  }
}

/** @throws Error: a bug of the caller */
export function checkOrder(lastAt: number, entries: readonly NewEntry[]): void {
  let before = lastAt;
  for (const { id, at } of entries) {
    if (at < before) throw new Error(`entry ${id} is of ${at}, before the entry before it (${before})`);
    before = at;
  }
}

/** The group's body: a view of a buffer that the next call overwrites. */
export function encodeGroup(entries: readonly Pick<NewEntry, "text" | "lines">[]): Uint8Array {
  let most = 0;
  for (const { text } of entries) most += 1 + MOST_BYTES_A_UNIT * text.length;
  let bytes = scratch;
  if (most > bytes.length) {
    bytes = Buffer.allocUnsafeSlow(most);
    if (most <= LARGEST_KEPT) scratch = bytes;
  }
  let end = 0;
  for (const { text, lines } of entries) {
    bytes[end++] = 0;
    // The lines are used if present, because joining them to `text` costs more.
    if (lines === undefined) end += bytes.write(text, end);
    else {
      for (let i = 0; i < lines.length; i++) {
        if (i > 0) bytes[end++] = NEWLINE;
        end += bytes.write(lines[i] as string, end);
      }
    }
  }
  return bytes.subarray(0, end);
}

/** @throws FaultError `LOG_DAMAGED` where the body does not hold `n` entries. */
export function decodeGroup(first: number, n: number, body: Uint8Array): readonly string[] {
  const texts = textsOf(body);
  if (texts.length !== n) throw damaged(named(first, n), `there are ${texts.length}`);
  return texts;
}

/** The entries in a body; none where it is not a group's body. */
export function textsOf(body: Uint8Array): readonly string[] {
  const texts = bufferOf(body).toString("utf8").split(LEAF_PREFIX);
  return texts.shift() === "" ? texts : [];
}

/**
 * Calls `leaf` with the bytes of each entry's Merkle leaf, as a view of the group's body: 0x00 and the header, up to the first
 * newline. Returns the number of leaves.
 */
export function eachLeaf(body: Uint8Array, leaf: (bytes: Uint8Array) => void): number {
  const bytes = bufferOf(body);
  let count = 0;
  let newline = -1;
  for (let from = 0, end: number; from < bytes.length; from = end, count++) {
    end = bytes.indexOf(0, from + 1);
    if (end < 0) end = bytes.length;
    if (newline < from) newline = bytes.indexOf(NEWLINE, from);
    if (newline < 0) newline = bytes.length;
    leaf(bytes.subarray(from, Math.min(newline, end)));
  }
  return count;
}

/**
 * Position in the group of the entry with this id; `undefined` where there is none. An entry's text starts with
 * `{"id":"<id>"`, and after the prefix byte that can only be an entry's start.
 */
export function positionOf(id: string, body: Uint8Array): number | undefined {
  const bytes = bufferOf(body);
  const found = bytes.indexOf(`${LEAF_PREFIX}{"id":"${id}"`, 0, "utf8");
  if (found < 0) return undefined;
  let position = 0;
  for (let i = bytes.indexOf(0); i < found; i = bytes.indexOf(0, i + 1)) position++;
  return position;
}

function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
