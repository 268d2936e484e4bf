// What the machine does beside us, and how to keep it from mattering: cores to pin to, what other processes took of them,
// and a directory that lies on a disk.

import { existsSync, mkdtempSync, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuUsage } from "node:process";

/** statfs(2): the type of a file system in memory, where a flush costs nothing. */
const TMPFS_MAGIC = 0x01021994;

/** Cores of this process: the first is the servers', the second the client's. */
const cores = allowedCores();
export const SERVER_CORE = cores[0] ?? 0;
export const CLIENT_CORE = cores[1] ?? SERVER_CORE;

/** Without taskset, or with a single core, processes run where the system puts them. */
export const pinned = cores.length > 1 && Bun.which("taskset") !== null;

export function pinnedCommand(core: number, command: readonly string[]): string[] {
  return pinned ? ["taskset", "-c", String(core), ...command] : [...command];
}

/** Microseconds of CPU that this process has used, in all its threads (getrusage). */
export function cpuMicros(): number {
  const { user, system } = cpuUsage();
  return user + system;
}

/**
 * Microseconds for which the benchmark's cores have been busy, with whatever: ours, others', and what the hypervisor took.
 * `undefined` where the system does not say.
 */
export function busyMicros(): number | undefined {
  if (!existsSync("/proc/stat")) return undefined;
  const ours = pinned ? [SERVER_CORE, CLIENT_CORE].map((core) => `cpu${core}`) : ["cpu"];
  let ticks = 0;
  for (const line of readFileSync("/proc/stat", "utf8").split("\n")) {
    const [name, ...fields] = line.split(/\s+/);
    if (name === undefined || !ours.includes(name)) continue;
    // proc(5): user, nice, system, idle, iowait, irq, softirq, steal; what guests take is in user already.
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number);
    ticks += user + nice + system + irq + softirq + steal;
  }
  return ticks * MICROS_A_TICK;
}

/** USER_HZ is 100 on every Linux that Bun runs on. */
const MICROS_A_TICK = 10_000;

/** A fresh directory on a disk, not in memory. */
export function diskDirectory(): string {
  const parent = [tmpdir(), "/var/tmp", process.cwd()].find(
    (path) => existsSync(path) && statfsSync(path).type !== TMPFS_MAGIC,
  );
  if (parent === undefined) throw new Error("there is no directory on a disk to measure in; set TMPDIR to one");
  return mkdtempSync(join(parent, "capstan-bench-"));
}

function allowedCores(): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
    return list.split(",").flatMap((range) => {
      const [from = 0, to = from] = range.split("-").map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
  } catch {
    return []; // No Linux: nothing can be pinned.
  }
}
