// A checksum of each page of the main file, in a file beside it. By them an opening verifies at the speed of memory that
// no page has changed. They are only a fast path: if one does not fit, the content itself is checked.
// A page's sum is durable before the page is written back from the WAL into the main file, so that the sums fit after a crash too.
//
//   0   "CapSums1"   8   page size, u32   12  frames, u32   16  the WAL's salts, 8 bytes   24  xxHash64 of these 24 bytes
//   32  xxHash3 of page 1, seeded with 1, little-endian   40  of page 2, seeded with 2   …

import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { isPageSize, type WalScan } from "./wal-scan.ts";

const MAGIC = "CapSums1";
const HEADER_BYTES = 32;
const SUM_BYTES = 8;
/** The unit in which the sums' file is written: a block of a file system. */
const BLOCK_BYTES = 4096;
/** By so much the file grows at least: the sums of 64 MiB of pages. */
const STEP_BYTES = 64 * 1024;
const GROWTH = 1.25;
const CHUNK_BYTES = 4 * 2 ** 20;
/** SQLite never uses the page at this offset (https://sqlite.org/fileformat2.html#the_lock_byte_page). */
export const LOCK_BYTE = 2 ** 30;
const HEADER_PAGES = 28;

export function sumsOf(path: string): string {
  return `${path}-sums`;
}

/** Neither field is set where the file is intact. */
export interface SumsResult {
  /** Why the sums do not prove the file intact: its content has to be checked. */
  readonly doubt?: string;
  /** The damage that the sums prove. */
  readonly damage?: string;
}

/**
 * Compares every page that is not in the WAL with its sum.
 * @param main a descriptor of the main file; only the caller closes it, because closing drops the locks of this process
 */
export function compareSums(path: string, main: number, wal: WalScan): SumsResult {
  const sums = readSums(path);
  if (sums === undefined) return { doubt: "it has no page sums" };
  const { pageSize, frames, salts } = sums;
  // Later frames were already written back; the remaining older frames would replace these newer pages.
  if (wal.salts?.equals(salts) && wal.frames < frames) {
    return { damage: `the write-ahead log: ${frames} frames were durable, and ${wal.frames} of them are whole` };
  }
  const count = wal.databasePages || pagesOf(main);
  const lockPage = LOCK_BYTE / pageSize + 1;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let page = 1; page <= count; ) {
    const read = readSync(main, chunk, 0, CHUNK_BYTES, (page - 1) * pageSize);
    const whole = Math.floor(read / pageSize);
    // A page past the end of the file may exist only in the WAL.
    for (let i = 0; i < Math.max(whole, 1) && page <= count; i++, page++) {
      if (wal.pages.has(page) || page === lockPage) continue;
      if (i >= whole) return { doubt: `it ends before page ${page} of ${count}` };
      const sum = sumOf(chunk.subarray(i * pageSize, (i + 1) * pageSize), page);
      if (sums.of[page - 1] !== sum) return { doubt: `page ${page} is another` };
    }
  }
  return {};
}

/** The number of pages, from the database's first page (https://sqlite.org/fileformat2.html#in_header_database_size). */
function pagesOf(main: number): number {
  const header = Buffer.alloc(HEADER_PAGES + 4);
  return readSync(main, header, 0, header.length, 0) < header.length
    ? 1
    : Math.max(header.readUInt32BE(HEADER_PAGES), 1);
}

/** Recomputes the sums of a main file that is known to be intact; sums of pages in the WAL follow at write-back. */
export function makeSums(path: string, main: number, pageSize: number): void {
  const pages = Math.floor(fstatSync(main).size / pageSize);
  const sums = Buffer.alloc(HEADER_BYTES + pages * SUM_BYTES);
  headerOf(pageSize, 0, NO_SALTS).copy(sums);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let page = 1; page <= pages; ) {
    const read = readSync(main, chunk, 0, CHUNK_BYTES, (page - 1) * pageSize);
    if (read < pageSize) break;
    for (let at = 0; at + pageSize <= read && page <= pages; at += pageSize, page++) {
      sums.writeBigUInt64LE(sumOf(chunk.subarray(at, at + pageSize), page), offsetOf(page));
    }
  }
  const fresh = `${sumsOf(path)}.new`;
  writeFileSync(fresh, sums, { mode: 0o600, flush: true });
  renameSync(fresh, sumsOf(path));
}

/** The sums' file of an open log: `set` changes memory, `write` the file. */
export class PageSums {
  readonly #fd: number;
  #bytes: Buffer;
  /** Blocks that were changed in memory since the last `write`. */
  readonly #changed = new Set<number>();

  /** @throws whatever the file system does, also where the file is missing */
  constructor(path: string) {
    this.#bytes = readFileSync(sumsOf(path));
    this.#fd = openSync(sumsOf(path), "r+");
  }

  set(page: number, sum: bigint): void {
    const at = offsetOf(page);
    if (at + SUM_BYTES > this.#bytes.length) this.#grow(at + SUM_BYTES);
    this.#bytes.writeBigUInt64LE(sum, at);
    this.#changed.add(Math.floor(at / BLOCK_BYTES));
  }

  /** Writes and flushes the changed sums. @param frames of the WAL that these sums cover */
  write(pageSize: number, frames: number, salts: Buffer): void {
    headerOf(pageSize, frames, salts).copy(this.#bytes);
    this.#changed.add(0);
    for (const block of this.#changed) {
      const end = Math.min((block + 1) * BLOCK_BYTES, this.#bytes.length);
      for (let at = block * BLOCK_BYTES; at < end; ) at += writeSync(this.#fd, this.#bytes, at, end - at, at);
    }
    fdatasyncSync(this.#fd);
    this.#changed.clear();
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Grows the file in advance, so that later flushes change no metadata of the file system. */
  #grow(length: number): void {
    const grown = Buffer.alloc(Math.ceil((length * GROWTH) / STEP_BYTES) * STEP_BYTES);
    this.#bytes.copy(grown);
    for (let at = this.#bytes.length; at < grown.length; at += BLOCK_BYTES)
      this.#changed.add(Math.floor(at / BLOCK_BYTES));
    this.#changed.add(grown.length / BLOCK_BYTES - 1);
    this.#bytes = grown;
  }
}

export function sumOf(page: Uint8Array, number: number): bigint {
  return Bun.hash.xxHash3(page, BigInt(number));
}

const NO_SALTS = Buffer.alloc(8);

function headerOf(pageSize: number, frames: number, salts: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, "latin1");
  header.writeUInt32LE(pageSize, 8);
  header.writeUInt32LE(frames, 12);
  salts.copy(header, 16);
  header.writeBigUInt64LE(Bun.hash.xxHash64(header.subarray(0, 24)), 24);
  return header;
}

function offsetOf(page: number): number {
  return HEADER_BYTES + (page - 1) * SUM_BYTES;
}

interface Sums {
  readonly pageSize: number;
  /** How many frames of this generation of the WAL may have been written back. */
  readonly frames: number;
  readonly salts: Buffer;
  readonly of: BigUint64Array;
}

function readSums(path: string): Sums | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(sumsOf(path));
  } catch {
    return undefined;
  }
  if (bytes.length < HEADER_BYTES) return undefined;
  const pageSize = bytes.readUInt32LE(8);
  const frames = bytes.readUInt32LE(12);
  const salts = bytes.subarray(16, 24);
  if (!isPageSize(pageSize) || !headerOf(pageSize, frames, salts).equals(bytes.subarray(0, HEADER_BYTES)))
    return undefined;
  // Copied, because a view of 64-bit numbers must begin at a multiple of 8.
  const sums = bytes.buffer.slice(bytes.byteOffset + HEADER_BYTES, bytes.byteOffset + (bytes.length & ~7));
  return { pageSize, frames, salts, of: new BigUint64Array(sums) };
}
