// Whether this machine lets us mount the disks that fail: Linux, root, /dev/fuse, and leave to mount.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DISK_PROCESS } from "./fault-disk.ts";

/** Why not; `undefined` where it does. */
export function whyNotMountable(): string | undefined {
  if (process.platform !== "linux") return `${process.platform} is not Linux`;
  if (process.getuid?.() !== 0) return "mounting takes root";
  if (!existsSync("/dev/fuse")) return "there is no /dev/fuse";
  const directory = mkdtempSync(join(tmpdir(), "capstan-mountable-"));
  try {
    // Its standard input is over at once: it mounts, and unmounts.
    const command = [process.execPath, DISK_PROCESS, "--platter", directory, "--mount", directory];
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdin: null });
    if (exitCode === 0) return undefined;
    return `a disk cannot be mounted: ${stdout.toString().trim()} ${stderr.toString().trim()}`;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
