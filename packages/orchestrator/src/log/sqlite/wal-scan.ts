// Scans the write-ahead log (WAL) on the disk before SQLite opens it: SQLite treats a damaged frame as the end
// of the WAL, and silently drops it and all later frames. It changes nothing.
// Format: https://sqlite.org/fileformat2.html#walformat (§4.1 frames, §4.2 checksums).

import { closeSync, openSync, readSync } from "node:fs";
import { FRAME_HEADER_BYTES, HEADER_BYTES, sizeOf, walOf } from "./wal.ts";

export interface WalScan {
  /** The WAL's salts, 8 bytes, which change each time that it is recycled. `undefined` where it is empty. */
  readonly salts: Buffer | undefined;
  /** How many frames there are up to the last complete commit. */
  readonly frames: number;
  /** By page: the offset of its newest committed version in the WAL. */
  readonly pages: ReadonlyMap<number, number>;
  /** Pages of the database as of that commit; 0 where there is no commit. */
  readonly databasePages: number;
  /** The damage, if any. A transaction that a crash cut off is none: it was never acknowledged. */
  readonly damage: string | undefined;
}

/** The result where there is no WAL. */
export const EMPTY_WAL: WalScan = {
  salts: undefined,
  frames: 0,
  pages: new Map(),
  databasePages: 0,
  damage: undefined,
};
const WHAT = "the write-ahead log";
const MAGIC = 0x377f0682;
/** The magic's last bit says in which byte order checksums were computed. */
const BIG_ENDIAN_SUMS = 1;
const SUMMED_OF_HEADER = 24;
const SUMMED_OF_FRAME_HEADER = 8;

export function scanWal(path: string): WalScan {
  if (sizeOf(walOf(path)) <= HEADER_BYTES) return EMPTY_WAL;
  const fd = openSync(walOf(path), "r");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    readFully(fd, header, 0);
    const pageSize = header.readUInt32BE(8);
    const sum = new Checksum((header.readUInt32BE(0) & BIG_ENDIAN_SUMS) !== 0);
    sum.add(header, 0, SUMMED_OF_HEADER);
    if (
      (header.readUInt32BE(0) & ~BIG_ENDIAN_SUMS) !== MAGIC ||
      !isPageSize(pageSize) ||
      !sum.is(header, SUMMED_OF_HEADER)
    ) {
      // Blank: preallocated (wal.ts) and never written.
      return isBlank(fd) ? EMPTY_WAL : { ...EMPTY_WAL, damage: `${WHAT}: its header does not fit its checksum` };
    }
    return scanFrames(fd, header, pageSize, sum);
  } finally {
    closeSync(fd);
  }
}

function scanFrames(fd: number, header: Buffer, pageSize: number, sum: Checksum): WalScan {
  const salts = Buffer.from(header.subarray(16, 24));
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageSize);
  const pages = new Map<number, number>();
  let uncommitted = new Map<number, number>();
  let frames = 0;
  let databasePages = 0;
  for (let i = 0, at = HEADER_BYTES; ; i++, at += frame.length) {
    const read = readFully(fd, frame, at);
    if (read) sum.addFrame(frame);
    const fits = read && sum.is(frame, 16);
    if (!fits || !ofGeneration(frame, salts)) {
      // The checksum does not cover the salts: if it fits, the salts were changed.
      const damaged = fits || goesOn(fd, salts, sum, frame.length, i);
      const damage = damaged ? `${WHAT}: frame ${i + 1} does not fit its checksum; what follows it is lost` : undefined;
      return { salts, frames, pages, databasePages, damage };
    }
    uncommitted.set(frame.readUInt32BE(0), at + FRAME_HEADER_BYTES);
    const committed = frame.readUInt32BE(4);
    if (committed === 0) continue;
    for (const [page, where] of uncommitted) pages.set(page, where);
    uncommitted = new Map();
    frames = i + 1;
    databasePages = committed;
  }
}

/**
 * Whether another transaction follows the one whose frame `broken` is damaged: then it had been committed, and its damage is
 * no crash. A crash cuts off only the last transaction, because each is flushed before the next begins. Each frame's checksum
 * continues that of the frame before, and a transaction's first frame continues that of the last successful commit. Frames of failed
 * transactions have the same salts, but no frame continues them.
 */
function goesOn(fd: number, salts: Buffer, before: Checksum, frameBytes: number, broken: number): boolean {
  const offset = (frame: number): number => HEADER_BYTES + frame * frameBytes;
  const head = Buffer.alloc(FRAME_HEADER_BYTES);
  const next = Buffer.alloc(frameBytes);
  for (let i = broken; readFully(fd, head, offset(i)) && readFully(fd, next, offset(i + 1)); i++) {
    if (!ofGeneration(head, salts) || head.readUInt32BE(4) === 0 || !ofGeneration(next, salts)) continue;
    // In the damaged frame the stored checksum itself may be what was changed.
    const sums = i === broken ? [Checksum.stored(head, before), before] : [Checksum.stored(head, before)];
    for (const sum of sums) {
      sum.addFrame(next);
      if (sum.is(next, 16)) return true;
    }
  }
  return false;
}

/** Whether a frame was written since the file was last recycled; SQLite writes no page 0. */
function ofGeneration(frameHeader: Buffer, salts: Buffer): boolean {
  return frameHeader.compare(salts, 0, 8, 8, 16) === 0 && frameHeader.readUInt32BE(0) !== 0;
}

/** SQLite's cumulative checksum, 8 bytes at a time (§4.2). */
class Checksum {
  readonly #bigEndian: boolean;
  #s0 = 0;
  #s1 = 0;

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  /** The checksum that is stored in a frame's header; it continues in the byte order of `like`. */
  static stored(frameHeader: Buffer, like: Checksum): Checksum {
    const sum = new Checksum(like.#bigEndian);
    sum.#s0 = frameHeader.readInt32BE(16);
    sum.#s1 = frameHeader.readInt32BE(20);
    return sum;
  }

  add(bytes: Buffer, from: number, to: number): void {
    let s0 = this.#s0;
    let s1 = this.#s1;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const little = !this.#bigEndian;
    for (let at = from; at < to; at += 8) {
      s0 = (s0 + view.getUint32(at, little) + s1) | 0;
      s1 = (s1 + view.getUint32(at + 4, little) + s0) | 0;
    }
    this.#s0 = s0;
    this.#s1 = s1;
  }

  addFrame(frame: Buffer): void {
    this.add(frame, 0, SUMMED_OF_FRAME_HEADER);
    this.add(frame, FRAME_HEADER_BYTES, frame.length);
  }

  /** Whether the checksum stored at `at`, always big-endian, equals this one. */
  is(bytes: Buffer, at: number): boolean {
    return bytes.readInt32BE(at) === this.#s0 && bytes.readInt32BE(at + 4) === this.#s1;
  }
}

/** A power of two from 512 to 65,536. */
export function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}

/** Whether the WAL's header and the first frame's header are all zeros. */
function isBlank(fd: number): boolean {
  const start = Buffer.alloc(HEADER_BYTES + FRAME_HEADER_BYTES);
  readFully(fd, start, 0);
  return start.every((byte) => byte === 0);
}

/** Fills `bytes` from the file; `false` where the file ends before. */
export function readFully(fd: number, bytes: Buffer, at: number): boolean {
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(fd, bytes, done, bytes.length - done, at + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
}
