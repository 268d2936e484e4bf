// What a flush costs on this disk, without a database: one page written in place, and fdatasync.

import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const PAGE = 4096;
const PAGES = 256;
export const FLUSHES = 200;

/** Median milliseconds. The file has its size before, so that no metadata is flushed with the page. */
export function flushMillis(directory: string): number {
  const path = join(directory, "flush");
  const file = openSync(path, "w");
  try {
    writeSync(file, Buffer.alloc(PAGE * PAGES));
    fsyncSync(file);
    const page = Buffer.alloc(PAGE, 1);
    const times: number[] = [];
    for (let i = 0; i < FLUSHES; i++) {
      const start = performance.now();
      writeSync(file, page, 0, PAGE, (i % PAGES) * PAGE);
      fdatasyncSync(file);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[FLUSHES >> 1] as number;
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
