// A real log to damage: the standard composition on a file, a node's own key, grants that were made, narrowed and revoked, keyed
// performs, refusals, content that is kept beside its entries, and executions that are not finished. What is made is the same
// for each seed, but for salts, ids and times.

import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createOrchestrator, type NodeInfo, openNode, sqliteLog } from "@capstan/orchestrator";
import { auth, credentialDigest, deadLetter, executor, ledger, type Protocol, registry } from "@capstan/plugins";
import { z } from "zod";
import { endless } from "../chaos/protocols.ts";
import { SeededRandom } from "../chaos/seeded-random.ts";

export const LOG = "log.db";
/** What belongs to a log's file and lies beside it. */
export const BESIDE = ["-wal", "-sums", ".checkpoint"] as const;
/** More than an entry keeps in itself. */
const LONG = 70_000;

const echo: Protocol = { name: "echo", configSchema: z.object({}), execute: ({ input }) => input };

export interface SampleLog {
  readonly directory: string;
  readonly path: string;
  /** The node's verifier key. */
  readonly key: string;
  /** What an auditor kept: the checkpoint of when the log had `keptAt` entries. */
  readonly kept: string;
}

export interface SampleOptions {
  readonly entries: number;
  readonly seed: number;
  /** By default that of the end. */
  readonly keptAt?: number;
  /** Called while the log is open and has so many entries, of which all are covered by the checkpoint beside it. */
  readonly at?: { readonly entries: number; readonly call: (path: string) => void };
}

/** Fills `directory` and closes the log. */
export async function makeSampleLog(directory: string, options: SampleOptions): Promise<SampleLog> {
  const node = await openNode({ directory, name: "sample" });
  const log = sqliteLog(join(directory, LOG));
  const orchestrator = await createOrchestrator({
    plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echo, endless] }), ledger()],
    ...{ log, node: node as NodeInfo, signer: node.signer },
  });
  const key = readFileSync(join(directory, "node.pub"), "utf8").trim();
  const path = join(directory, LOG);
  const scope = await orchestrator.scope({ principal: "sample", allow: ["*"] });
  const ask = (resource: string, action: string, data: unknown, asked?: object): Promise<unknown> =>
    scope.applyAction({ resource, action, data }, asked);
  await ask("action", "register", { name: "echo", protocol: "echo", idempotent: true });
  await ask("action", "register", { name: "endless", protocol: "endless", idempotent: true, timeout: 3_600_000 });
  const random = new SeededRandom(options.seed);
  const grants: string[] = [];
  let kept: string | undefined;
  let called = options.at === undefined;
  for (let i = 0; log.head < options.entries; i++) {
    if (kept === undefined && log.head >= (options.keptAt ?? options.entries))
      kept = await orchestrator.notary.checkpoint();
    if (!called && log.head >= (options.at?.entries ?? 0)) {
      called = true;
      await orchestrator.notary.written();
      options.at?.call(path);
    }
    const roll = random.next();
    if (roll < 0.1) grants.push(await grant(ask, `caller-${i}`));
    else if (roll < 0.15 && grants.length > 3) await ask("grant", "revoke", { grant: grants.shift() });
    else if (roll < 0.2)
      await ask("action", "perform", { name: "endless", input: { i } }, { key: `open-${i}`, wait: 0 });
    else if (roll < 0.25) await ask("action", "perform", { name: `none-${i}`, input: {} }).catch(() => {});
    else if (roll < 0.27) await ask("action", "perform", { name: "echo", input: { text: "x".repeat(LONG), i } });
    else await ask("action", "perform", { name: "echo", input: { text: `hello ${i}`, order: i } }, { key: `k-${i}` });
  }
  await orchestrator.notary.written();
  kept ??= await orchestrator.notary.checkpoint();
  if (!called) options.at?.call(path);
  await orchestrator.stop({ graceMs: 0 });
  return { directory, path, key, kept };
}

async function grant(
  ask: (resource: string, action: string, data: unknown) => Promise<unknown>,
  principal: string,
): Promise<string> {
  const credential = credentialDigest(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url"));
  const made = await ask("grant", "create", { principal, credential, allow: ["action.perform:echo"] });
  return (made as { grant: string }).grant;
}

/** The file, and what lies beside it, under another name: what a kill leaves, where the log is open. */
export function copyLog(from: string, to: string): void {
  for (const suffix of ["", ...BESIDE]) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
}
