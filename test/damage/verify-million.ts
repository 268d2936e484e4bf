// `npm run verify:million [-- --entries 1000000]`: verifies a long log by its file, in a process of its own, and prints how long it
// takes and in how much memory.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createOrchestrator, openNode, sqliteLog, verificationText, verifyLogFile } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, type Protocol, registry } from "@capstan/plugins";
import { z } from "zod";
import { fill } from "../crash/fill.ts";
import { LOG } from "./sample-log.ts";

const MEBIBYTE = 2 ** 20;

const { values } = parseArgs({
  options: { entries: { type: "string", default: "1000000" }, verify: { type: "string" } },
});

if (values.verify !== undefined) await verifyHere(values.verify);
else await measure(Number(values.entries));

/** In the child: nothing of what made the log is in its memory. */
async function verifyHere(directory: string): Promise<void> {
  const keys = [readFileSync(join(directory, "node.pub"), "utf8").trim()];
  const before = process.memoryUsage.rss();
  const startedAt = performance.now();
  const result = await verifyLogFile(join(directory, LOG), { keys });
  const ms = performance.now() - startedAt;
  const { rows, entries } = result;
  console.log(verificationText(result).trimEnd());
  console.log(`${(ms / 1000).toFixed(1)} s, ${Math.round((entries / ms) * 1000)} entries a second, ${rows} rows`);
  const most = process.resourceUsage().maxRSS * 1024;
  console.log(`${mebibytes(most)} resident at most, ${mebibytes(before)} before it began`);
  process.exitCode = result.valid ? 0 : 1;
}

async function measure(entries: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-million-"));
  try {
    await make(directory, entries);
    console.log(`the file: ${mebibytes(statSync(join(directory, LOG)).size)}`);
    const child = Bun.spawn([process.execPath, import.meta.path, "--verify", directory], {
      stdout: "inherit",
      stderr: "inherit",
    });
    process.exitCode = await child.exited;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function make(directory: string, entries: number): Promise<void> {
  const node = await openNode({ directory });
  const sync: Protocol = { name: "sync", configSchema: z.object({}), execute: ({ input }) => input };
  const plugins = [auth(), registry(), deadLetter(), executor({ protocols: [sync] }), ledger()] as const;
  const log = sqliteLog(join(directory, LOG));
  const orchestrator = await createOrchestrator({ plugins: [...plugins], log, node, signer: node.signer });
  await fill(orchestrator as never, "sync", entries);
  await orchestrator.stop();
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}
