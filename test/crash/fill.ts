// Makes a long log fast: executions performed in this process, on the composition of the chaos server, many at a time.

import { join } from "node:path";
import { createOrchestrator, type Orchestrator, openNode, sqliteLog } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, type Protocol, registry } from "@capstan/plugins";
import { z } from "zod";
import { endless } from "../chaos/protocols.ts";

/** A perform and its completion. */
export const ENTRIES_AN_EXECUTION = 1;

const IN_FLIGHT = 1000;
/** Longer than any measurement. */
const TIMEOUT_MS = 24 * 60 * 60 * 1000;

const protocols: readonly Protocol[] = [
  { name: "sync", configSchema: z.object({}), execute: ({ input }) => input },
  endless,
];

export async function openLog(directory: string): Promise<Orchestrator> {
  const node = await openNode({ directory, name: "fill" });
  const log = sqliteLog(join(directory, "log.db"));
  const plugins = [auth(), registry(), deadLetter(), executor({ protocols }), ledger()] as const;
  return createOrchestrator({ plugins: [...plugins], log, node, signer: node.signer });
}

/** Performs `count` times, under a key each, and calls back after every so many. Unfinished ones are `endless`. */
export async function fill(
  orchestrator: Orchestrator,
  action: "sync" | "endless",
  count: number,
  progress: (performed: number) => void = () => {},
): Promise<void> {
  const scope = await orchestrator.scope({ principal: "fill", allow: ["*"] });
  const registered = { name: action, protocol: action, idempotent: true, timeout: TIMEOUT_MS };
  await scope.applyAction({ resource: "action", action: "register", data: registered });
  const wait = action === "endless" ? { wait: 0 } : {};
  for (let performed = 0; performed < count; ) {
    const at = performed;
    const many = Math.min(IN_FLIGHT, count - at);
    const calls = Array.from({ length: many }, (_, i) => {
      const data = { name: action, input: { order: at + i, text: "as long as a small message is" } };
      return scope.applyAction(
        { resource: "action", action: "perform", data },
        { key: `${action}-${at + i}`, ...wait },
      );
    });
    await Promise.all(calls);
    performed += many;
    progress(performed);
  }
}
