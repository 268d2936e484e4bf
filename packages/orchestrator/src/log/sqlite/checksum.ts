// The checksums in a log's file: CRC-32 (ISO 3309, as in gzip), which detects every change of up to 32 consecutive bits,
// and most others. They detect damage, not tampering: the Merkle tree does that. docs/storage.md has every byte.

import { FaultError, fault } from "../../fault/fault.ts";

/** A damaged page may make SQLite return other types. These have no checksum: NaN equals no stored one. */
function crc32(bytes: Uint8Array | string, before = 0): number {
  return typeof bytes === "string" || bytes instanceof Uint8Array ? Bun.hash.crc32(bytes, before) : Number.NaN;
}

/** Over a group's numbers in decimal, and its body, which starts with 0x00. */
export function groupSum(first: number, n: number, at: number, born: number, body: Uint8Array): number {
  return crc32(body, crc32(`${first} ${n} ${at} ${born}`));
}

/** Over a row. @param key as it is stored (key-order.ts) */
export function rowSum(table: string, key: string, json: string): number {
  return crc32(`${table}\0${key}\0${json}`);
}

export function tileSum(level: number, index: number, hashes: Uint8Array): number {
  return crc32(hashes, crc32(`${level} ${index} `));
}

/** Over a blob's name and number of references; the name contains the SHA-256 of the content. */
export function blobSum(name: string, refs: number): number {
  return crc32(`${name}\0${refs}`);
}

export function metaSum(name: string, value: string | number): number {
  return crc32(`${name}\0${value}`);
}

/** The fault for a damaged part of a log. @param what the part, such as `entries 880 to 912` */
export function damaged(what: string, why: string): FaultError {
  return new FaultError(
    fault("LOG_DAMAGED", `the log is damaged: ${what}: ${why}; restore it from a backup`, { what }),
  );
}

export function entries(first: number, n: number): string {
  return n === 1 ? `entry ${first}` : `entries ${first} to ${first + n - 1}`;
}
