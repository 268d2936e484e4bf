// How long a start takes on a log of so many entries: `bun test/crash/start.ts --entries 100000`. The log is what a kill
// leaves, with its WAL; the start is a server's own, from its process to its first answer.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "../chaos/server-process.ts";
import { ENTRIES_AN_EXECUTION, fill, openLog } from "./fill.ts";

export interface Start {
  readonly entries: number;
  readonly readyMs: number;
  /** Bytes. */
  readonly memory: number;
}

const STARTS = 5;

/** Starts a server on a log of at least `entries` entries, five times; the figures are those of the median start. */
export async function measureStart(entries: number): Promise<Start> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-start-"));
  const killed = mkdtempSync(join(tmpdir(), "capstan-killed-"));
  try {
    const orchestrator = await openLog(directory);
    await fill(orchestrator, "sync", Math.ceil(entries / ENTRIES_AN_EXECUTION));
    // What lies there now is what a kill would leave: nothing is checkpointed for the one who goes.
    for (const name of ["log.db", "log.db-wal", "log.db-sums", "node.key", "admin.token"]) {
      copyFileSync(join(directory, name), join(killed, name));
    }
    await orchestrator.stop();
    const starts: Start[] = [];
    while (starts.length < STARTS) {
      const { head, readyMs, memory, kill, exited } = await startServer(killed);
      kill();
      await exited;
      starts.push({ entries: head, readyMs, memory });
    }
    starts.sort((a, b) => a.readyMs - b.readyMs);
    return starts[Math.floor(STARTS / 2)] as Start;
  } finally {
    rmSync(directory, { recursive: true });
    rmSync(killed, { recursive: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { entries: { type: "string", default: "100000" } } });
  const { entries, readyMs, memory } = await measureStart(Number(values.entries));
  console.log(`${entries} entries: ready in ${Math.round(readyMs)} ms, ${Math.round(memory / 2 ** 20)} MiB resident`);
}
