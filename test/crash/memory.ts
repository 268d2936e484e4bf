// Resident memory over so many finished executions, and of so many unfinished ones:
// `bun test/crash/memory.ts --executions 1000000 --open 20000`. What is finished leaves memory, so that past the first
// tenth it must not grow; a start afterwards holds what is unfinished alone. Exit code 1 if it is otherwise.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "../chaos/server-process.ts";
import { fill, openLog } from "./fill.ts";

/** What the rest may add to what the first tenth took: SQLite's cache fills, and the heap breathes. */
const MOST_GROWTH_BYTES = 64 * 2 ** 20;
/** What a start on all of it may take beyond one on nothing, but for what is unfinished. */
const MOST_START_BYTES = 48 * 2 ** 20;
const MOST_BYTES_AN_OPEN_ONE = 8192;

const { values } = parseArgs({
  options: { executions: { type: "string", default: "1000000" }, open: { type: "string", default: "20000" } },
});
const executions = Number(values.executions);
const open = Number(values.open);
const tenth = Math.ceil(executions / 10);

const directory = mkdtempSync(join(tmpdir(), "capstan-memory-"));
const failures: string[] = [];
try {
  const { memory: empty } = await started(mkdtempSync(join(directory, "empty-")));
  console.log(`a server on nothing               ${mebibytes(empty)}`);

  const orchestrator = await openLog(directory);
  let first = 0;
  let next = tenth;
  const startedAt = performance.now();
  await fill(orchestrator, "sync", executions, (performed) => {
    if (performed < next) return;
    next += tenth;
    const now = resident();
    first ||= now;
    const rate = Math.round(performed / ((performance.now() - startedAt) / 1000));
    console.log(`${String(performed).padStart(9)} finished executions     ${mebibytes(now)}  (${rate} a second)`);
  });
  const finished = resident();
  if (finished - first > MOST_GROWTH_BYTES)
    failures.push(`grew by ${mebibytes(finished - first)} after the first tenth`);

  await fill(orchestrator, "endless", open);
  const each = Math.round((resident() - finished) / Math.max(open, 1));
  console.log(`${String(open).padStart(9)} unfinished on top       ${mebibytes(resident())}  (${each} bytes each)`);
  await orchestrator.stop({ graceMs: 0 });

  const { memory: again, readyMs } = await started(directory);
  const bound = empty + MOST_START_BYTES + open * MOST_BYTES_AN_OPEN_ONE;
  console.log(`a server on all of it             ${mebibytes(again)}  (ready in ${Math.round(readyMs)} ms)`);
  if (again > bound) failures.push(`a start takes ${mebibytes(again)}, more than ${mebibytes(bound)}`);
} finally {
  rmSync(directory, { recursive: true });
}
for (const failure of failures) console.log(`NOT BOUNDED: ${failure}`);
if (failures.length === 0) console.log("bounded by what is not finished");
process.exitCode = failures.length === 0 ? 0 : 1;

async function started(on: string): Promise<{ readonly memory: number; readonly readyMs: number }> {
  const server = await startServer(on);
  server.kill();
  await server.exited;
  return server;
}

function resident(): number {
  Bun.gc(true);
  return process.memoryUsage.rss();
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1).padStart(7)} MiB`;
}
