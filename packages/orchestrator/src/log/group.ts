// The stored form of a group: the entries of one commit in one body, each after a 0x00 byte. The byte is the leaf prefix of
// RFC 6962 §2.1, so that a Merkle leaf is hashed in place; JSON text never contains it, so that it also separates.

import { FaultError, fault } from "../fault/fault.ts";
import type { NewEntry } from "./log.ts";

const LEAF_PREFIX = "\0";
const utf8 = new TextEncoder();

/**
 * Refuses entries that could not be read back as they were given.
 * @throws Error: a bug of the caller, before anything of the group is stored.
 */
export function checkGroup(lastAt: number, entries: readonly NewEntry[]): void {
  let at = lastAt;
  for (const entry of entries) {
    if (entry.at < at) throw new Error(`entry ${entry.id} is of ${entry.at}, before the entry before it (${at})`);
    if (entry.text.includes(LEAF_PREFIX)) throw new Error(`entry ${entry.id} contains U+0000, which separates entries`);
    at = entry.at;
  }
}

export function encodeGroup(texts: readonly string[]): Uint8Array {
  return utf8.encode(LEAF_PREFIX + texts.join(LEAF_PREFIX));
}

/** @throws FaultError `LOG_DAMAGED` where the body does not hold `n` entries. */
export function decodeGroup(first: number, n: number, body: Uint8Array): readonly string[] {
  const texts = bufferOf(body).toString("utf8").split(LEAF_PREFIX);
  if (texts.length !== n + 1 || texts[0] !== "") {
    throw new FaultError(
      fault("LOG_DAMAGED", `the entries ${first} to ${first + n - 1} of the log are damaged; restore it from a backup`),
    );
  }
  texts.shift();
  return texts;
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
