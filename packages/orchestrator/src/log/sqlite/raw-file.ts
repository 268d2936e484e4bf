// A descriptor of a log's main file beside SQLite's own, to read pages as they lie there. POSIX drops all locks of a process on
// a file when it closes any descriptor of it (https://sqlite.org/howtocorrupt.html §2.2): so this one is closed after
// SQLite's, and there is never a second one of the same file in this process.

import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { walOf } from "./wal.ts";

/** Files that are open in this process, by device and inode: a name may lead to another file by now. */
const open = new Set<string>();

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

const keyOf = ({ dev, ino }: Identity): string => `${dev}:${ino}`;

/** Whether this process has the file open already, under whatever name. Opens nothing. */
export function isOpenHere(path: string): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found !== undefined && open.has(keyOf(found));
}

export class RawFile {
  readonly fd: number;
  readonly #key: string;

  /** The caller has asked `isOpenHere`. @throws whatever the file system does */
  constructor(path: string) {
    this.fd = openSync(path, "r");
    this.#key = keyOf(fstatSync(this.fd, { bigint: true }));
    open.add(this.#key);
  }

  /** Once SQLite has closed the file. */
  close(): void {
    if (!open.delete(this.#key)) return;
    closeSync(this.fd);
  }
}

/** What changes when anybody writes to the log's files: where two are equal, nobody has between them. */
export function stampOf(path: string): string {
  return [path, walOf(path)]
    .map((one) => {
      const stat = statSync(one, { bigint: true, throwIfNoEntry: false });
      // SQLite makes an empty WAL where there is none.
      return stat === undefined || stat.size === 0n ? "empty" : `${keyOf(stat)}:${stat.size}:${stat.mtimeNs}`;
    })
    .join(" ");
}
