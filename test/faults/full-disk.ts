// A small disk in memory that can be filled to its last page, and emptied again. Linux, as root.

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const BALLAST = "ballast";
const AT_ONCE = Buffer.alloc(1024 * 1024);
const PAGE = 4096;

export interface FullDisk {
  readonly path: string;
  /** Fills it, but for `room` bytes. */
  fill(room: number): void;
  empty(): void;
  close(): void;
}

export function mountFullDisk(directory: string, bytes: number): FullDisk {
  const path = join(directory, "small");
  mkdirSync(path, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", `size=${bytes},mode=700`, "capstan-faults", path);
  const ballast = join(path, BALLAST);
  return {
    path,
    fill(room) {
      const kept = openSync(`${ballast}-room`, "w");
      for (let left = room; left > 0; left -= PAGE) writeSync(kept, AT_ONCE, 0, Math.min(PAGE, left));
      closeSync(kept);
      const file = openSync(ballast, "a");
      // Ever smaller pieces, to the last page: others write to it meanwhile.
      for (let size = AT_ONCE.length; size >= PAGE; ) {
        try {
          if (writeSync(file, AT_ONCE, 0, size) < size) size /= 2;
        } catch {
          size /= 2;
        }
      }
      closeSync(file);
      rmSync(`${ballast}-room`);
    },
    empty: () => rmSync(ballast, { force: true }),
    close: () => run("umount", "-l", path),
  };
}

function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString().trim()}`);
}
