// What it takes to open a log of a million entries: the check of the file, its end, the tree's edge. No table is read.

import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sqliteLog } from "@capstan/orchestrator";
import { diskDirectory, pinnedCommand, SERVER_CORE } from "../kernel/machine.ts";
import { median } from "../kernel/rounds.ts";
import { entriesFrom } from "./entries.ts";

export const OPEN = "open/1M";
const ENTRIES = 1_000_000;
const GROUP = 256;

export interface Opening {
  readonly name: string;
  readonly ms: number;
  /** By which the process grew. */
  readonly bytes: number;
  readonly fileBytes: number;
  readonly rounds: number;
}

interface Opened {
  readonly ms: number;
  readonly bytes: number;
  readonly head: number;
}

export async function measureOpening(rounds: number): Promise<Opening> {
  const directory = diskDirectory();
  try {
    const path = join(directory, "log.db");
    await fill(path);
    const opened = Array.from({ length: rounds }, () => openOnce(path));
    return {
      name: OPEN,
      ms: median(opened.map(({ ms }) => ms)),
      bytes: median(opened.map(({ bytes }) => bytes)),
      fileBytes: statSync(path).size,
      rounds,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fill(path: string): Promise<void> {
  const log = sqliteLog(path);
  for (let made = 0; made < ENTRIES; made += GROUP) {
    await log.append(log.head, entriesFrom(made, Math.min(GROUP, ENTRIES - made), false));
  }
  await log.close();
}

/** The file is in the system's memory: what a disk would take for it depends on the disk. */
function openOnce(path: string): Opened {
  const script = fileURLToPath(new URL("./open-process.ts", import.meta.url));
  const { stdout, stderr, exitCode } = Bun.spawnSync(pinnedCommand(SERVER_CORE, [process.execPath, script, path]));
  if (exitCode !== 0) throw new Error(`open-process.ts ended with ${exitCode}: ${stderr}`);
  const opened = JSON.parse(stdout.toString()) as Opened;
  if (opened.head !== ENTRIES) throw new Error(`the log has ${opened.head} entries`);
  return opened;
}
