// The checksums of what a log's file holds: CRC-32 (ISO 3309, as in gzip), which finds every change of up to 32 bits in a row
// and most others. They find damage, not malice: against that there is the tree. docs/storage.md has every byte.

import { FaultError, fault } from "../../fault/fault.ts";

/** What is no text and no bytes, as SQLite may read it off a damaged page, has no checksum: NaN is equal to none. */
function crc32(bytes: Uint8Array | string, before = 0): number {
  return typeof bytes === "string" || bytes instanceof Uint8Array ? Bun.hash.crc32(bytes, before) : Number.NaN;
}

/** Of a group: its numbers in decimal, and its body, which starts with 0x00. */
export function groupSum(first: number, n: number, at: number, born: number, body: Uint8Array): number {
  return crc32(body, crc32(`${first} ${n} ${at} ${born}`));
}

/** Of a row, its key as it is stored (key-order.ts). */
export function rowSum(table: string, key: string, json: string): number {
  return crc32(`${table}\0${key}\0${json}`);
}

export function tileSum(level: number, index: number, hashes: Uint8Array): number {
  return crc32(hashes, crc32(`${level} ${index} `));
}

/** Of a blob's name and references; its content has the SHA-256 in its name. */
export function blobSum(name: string, refs: number): number {
  return crc32(`${name}\0${refs}`);
}

export function metaSum(name: string, value: string | number): number {
  return crc32(`${name}\0${value}`);
}

/** What a damaged part of a log is answered with: `what` names it, as `entries 880 to 912`. */
export function damaged(what: string, why: string): FaultError {
  return new FaultError(
    fault("LOG_DAMAGED", `the log is damaged: ${what}: ${why}; restore it from a backup`, { what }),
  );
}

export function entries(first: number, n: number): string {
  return n === 1 ? `entry ${first}` : `entries ${first} to ${first + n - 1}`;
}
