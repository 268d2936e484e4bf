// The write-ahead log's (WAL's) file: its name, sizes, and preallocation. SQLite owns its
// content; nothing here changes a byte that SQLite wrote. Format: https://sqlite.org/fileformat2.html#walformat

import { closeSync, fsyncSync, openSync, statSync, writeSync } from "node:fs";

/**
 * The page size of a new file. A large group takes half the writes of 4 kB pages; a small group, which changes half a dozen
 * pages however little it writes, is a third faster than with 16 kB (`npm run bench -- log`).
 */
export const PAGE_BYTES = 8 * 1024;
/** The commit that fills the WAL beyond this is followed by a write-back, which takes about 5 ms; with 16 MiB it took 30 ms. */
export const CHECKPOINT_BYTES = 4 * 2 ** 20;
export const checkpointPages = (pageSize: number): number => Math.round(CHECKPOINT_BYTES / pageSize);
/** After an unusually large group the WAL is truncated to this size. */
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
 * Preallocates the WAL with zeros, to the size at which it is written back and recycled: a commit then changes
 * no metadata of the file system, and its flush is one write. SQLite's recovery ends at the first frame with other salts, so
 * it ignores the zeros. On a full disk this does nothing.
 */
export function growWal(path: string, pageSize: number): void {
  // A tenth more, for the group that passes CHECKPOINT_BYTES.
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
    // Only for speed: on a full disk the first append reports it.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
