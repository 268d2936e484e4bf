// Which process listens on a port of this machine, as Linux tells it (proc(5)). Elsewhere, or of another user's process, it
// is not known.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** `tcp_states.h`: TCP_LISTEN. */
const LISTENING = "0A";

export interface PortHolder {
  readonly pid: number;
  /** Its name, as in `ps`. */
  readonly command: string;
}

export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeners(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of numbered("/proc")) {
    for (const fd of numbered(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return { pid, command: textOf(`/proc/${pid}/comm`).trim() };
    }
  }
  return undefined;
}

/** Inodes of the sockets that listen on the port. Columns: sl, local address, remote address, state, …, inode (10th). */
function listeners(table: string, port: number): string[] {
  return textOf(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => state === LISTENING && Number.parseInt(local.split(":")[1] ?? "", 16) === port)
    .map((columns) => columns[9] as string);
}

function numbered(directory: string): number[] {
  try {
    return readdirSync(directory).map(Number).filter(Number.isSafeInteger);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
