// A second descriptor of a log's main file, to read its pages without SQLite. POSIX drops all locks of a process on
// a file when it closes any descriptor of it (https://sqlite.org/howtocorrupt.html §2.2): so this one is closed after
// SQLite's, and a process has only one for each file.

import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { walOf } from "./wal.ts";

/** Files that are open in this process, by device and inode: a path may name another file by now. */
const open = new Set<string>();

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

const keyOf = ({ dev, ino }: Identity): string => `${dev}:${ino}`;

/** Whether this process has the file open already, under any path. Opens nothing. */
export function isOpenHere(path: string): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found !== undefined && open.has(keyOf(found));
}

export class RawFile {
  readonly fd: number;
  readonly #key: string;

  /** Call `isOpenHere` before. @throws whatever the file system does */
  constructor(path: string) {
    this.fd = openSync(path, "r");
    this.#key = keyOf(fstatSync(this.fd, { bigint: true }));
    open.add(this.#key);
  }

  /** Call this after SQLite has closed the file. */
  close(): void {
    if (!open.delete(this.#key)) return;
    closeSync(this.fd);
  }
}

/** Identity, size and time of the log's files: two equal stamps mean that nobody wrote between them. */
export function stampOf(path: string): string {
  return [path, walOf(path)]
    .map((one) => {
      const stat = statSync(one, { bigint: true, throwIfNoEntry: false });
      // Opening makes SQLite create an empty WAL, which is no write.
      return stat === undefined || stat.size === 0n ? "empty" : `${keyOf(stat)}:${stat.size}:${stat.mtimeNs}`;
    })
    .join(" ");
}
