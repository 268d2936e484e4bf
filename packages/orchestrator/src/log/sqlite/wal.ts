// The write-ahead log's file, seen from outside SQLite: its name, its room at opening, its sizes. SQLite owns its
// content; nothing here changes a byte that SQLite wrote. Format: https://sqlite.org/fileformat2.html#walformat

import { closeSync, fsyncSync, openSync, statSync, writeSync } from "node:fs";

/**
 * Of a new file. Half the writes that pages of 4 kB would take for a large group; and a small one, which changes half a dozen
 * pages however little it writes, is a third faster than with 16 kB (`npm run bench -- log`).
 */
export const PAGE_BYTES = 8 * 1024;
/** SQLite writes back at the commit that passes this much: a stall of about 5 ms; 16 MiB stalled for 30. */
export const CHECKPOINT_BYTES = 4 * 2 ** 20;
export const checkpointPages = (pageSize: number): number => Math.round(CHECKPOINT_BYTES / pageSize);
/** What an unusually large group made of the file is given back down to here. */
export const WAL_LIMIT_BYTES = 32 * 2 ** 20;

export const HEADER_BYTES = 32;
export const FRAME_HEADER_BYTES = 24;

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
