// The write-ahead log's file, seen from outside SQLite: its room at opening, and which pages it holds. SQLite owns its
// content; nothing here changes a byte that SQLite wrote. Format: https://sqlite.org/fileformat2.html#walformat

import { closeSync, fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from "node:fs";

/** Of a new file. A group of 64 performs is 100 kB: a fourth of the writes and checksums that pages of 4 kB would take. */
export const PAGE_BYTES = 16 * 1024;
/** SQLite writes back at the commit that passes this much: a stall of about 5 ms; 16 MiB stalled for 30. */
export const CHECKPOINT_BYTES = 4 * 2 ** 20;
export const checkpointPages = (pageSize: number): number => Math.round(CHECKPOINT_BYTES / pageSize);
/** What an unusually large group made of the file is given back down to here. */
export const WAL_LIMIT_BYTES = 32 * 2 ** 20;

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

export function walOf(path: string): string {
  return `${path}-wal`;
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Gives the WAL the size that it reaches before a checkpoint recycles it, in written zeros: a commit into it then changes
 * no metadata of the file system, and its flush is one write. Recovery ends at the first frame without the right salt, so
 * zeros at the end are nothing to it. Only a start that has the room does it.
 */
export function growWal(path: string, pageSize: number): void {
  // A tenth more, for the group that passes the mark.
  const target = Math.ceil(checkpointPages(pageSize) * 1.1) * (FRAME_HEADER_BYTES + pageSize);
  let size = sizeOf(walOf(path));
  if (size === 0 || size >= target) return;
  const zeros = Buffer.alloc(target - size);
  let fd: number | undefined;
  try {
    fd = openSync(walOf(path), "r+");
    while (size < target) size += writeSync(fd, zeros, 0, target - size, size);
    fsyncSync(fd);
  } catch {
    // It is only for speed: a disk that is full says so at the first append.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Numbers of the pages whose content is in the WAL. */
export function pagesInWal(path: string, pageSize: number): ReadonlySet<number> {
  const pages = new Set<number>();
  if (sizeOf(walOf(path)) <= HEADER_BYTES) return pages;
  const fd = openSync(walOf(path), "r");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const frame = Buffer.alloc(FRAME_HEADER_BYTES);
    readSync(fd, header, 0, HEADER_BYTES, 0);
    const { size } = fstatSync(fd);
    for (let at = HEADER_BYTES; at + FRAME_HEADER_BYTES + pageSize <= size; at += FRAME_HEADER_BYTES + pageSize) {
      readSync(fd, frame, 0, FRAME_HEADER_BYTES, at);
      // Frames of before the file was last recycled carry other salts.
      if (frame.compare(header, 16, 24, 8, 16) !== 0) break;
      pages.add(frame.readUInt32BE(0));
    }
  } finally {
    closeSync(fd);
  }
  return pages;
}
