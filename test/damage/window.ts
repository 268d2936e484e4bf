// How long an entry is in nobody's checkpoint: what can be changed unseen by somebody who may write the log's files. Measured on a
// running node under load, from an entry's own time to the time of the first checkpoint beside the file that covers it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOrchestrator, openNode, openNote, parseCheckpoint, sqliteLog } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, type Protocol, registry } from "@capstan/plugins";
import { z } from "zod";
import { LOG } from "./sample-log.ts";

export interface Window {
  readonly entries: number;
  readonly checkpoints: number;
  /** Milliseconds: the longest that an entry waited, and the median. */
  readonly longest: number;
  readonly median: number;
  /** The most entries that were after the last checkpoint. */
  readonly mostEntries: number;
}

const echo: Protocol = { name: "echo", configSchema: z.object({}), execute: ({ input }) => input };
const IN_FLIGHT = 16;
const LOOK_MS = 5;

/** Performs for so many milliseconds, and looks at the checkpoint's file meanwhile. */
export async function measureWindow(ms: number): Promise<Window> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-window-"));
  try {
    const node = await openNode({ directory });
    const log = sqliteLog(join(directory, LOG));
    const plugins = [auth(), registry(), deadLetter(), executor({ protocols: [echo] }), ledger()] as const;
    const orchestrator = await createOrchestrator({ plugins: [...plugins], log, node, signer: node.signer });
    const scope = await orchestrator.scope({ principal: "window", allow: ["*"] });
    const action = { name: "echo", protocol: "echo", idempotent: true };
    await scope.applyAction({ resource: "action", action: "register", data: action });
    const until = performance.now() + ms;
    let running = true;
    const perform = async (): Promise<void> => {
      const data = { name: "echo", input: {} };
      while (performance.now() < until) await scope.applyAction({ resource: "action", action: "perform", data });
    };
    const signed = new Map<number, number>();
    let mostEntries = 0;
    const look = async (): Promise<void> => {
      while (running) {
        const { size, at } = checkpointIn(directory);
        if (size > 0) signed.set(size, at);
        mostEntries = Math.max(mostEntries, log.head - size);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    };
    const looking = look();
    await Promise.all(Array.from({ length: IN_FLIGHT }, perform));
    running = false;
    await looking;
    await orchestrator.notary.written();
    const last = checkpointIn(directory);
    signed.set(last.size, last.at);
    const waited = await ages(
      log,
      [...signed].sort(([a], [b]) => a - b),
    );
    await orchestrator.stop();
    const sorted = waited.sort((a, b) => a - b);
    return {
      ...{ entries: waited.length, checkpoints: signed.size, mostEntries },
      longest: sorted.at(-1) ?? 0,
      median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Of each entry, from its time to that of the first checkpoint that covers it. */
async function ages(
  log: { readonly head: number; read(from: number, options: { limit: number }): unknown },
  signed: readonly (readonly [size: number, at: number])[],
): Promise<number[]> {
  const waited: number[] = [];
  let next = 0;
  for (const { seq, text } of (await log.read(1, { limit: log.head })) as { seq: number; text: string }[]) {
    while (next < signed.length && (signed[next]?.[0] ?? 0) < seq) next++;
    const covering = signed[next];
    if (covering === undefined) break;
    waited.push(covering[1] - (JSON.parse(text.split("\n")[0] as string) as { at: number }).at);
  }
  return waited;
}

function checkpointIn(directory: string): { readonly size: number; readonly at: number } {
  try {
    return parseCheckpoint(openNote(readFileSync(join(directory, `${LOG}.checkpoint`), "utf8")).text);
  } catch {
    return { size: 0, at: 0 };
  }
}
