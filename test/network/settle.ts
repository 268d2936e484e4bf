// What an operator does by hand after a fault: asks again for all that is ambiguous, from the far end on, and gives up what is known to
// have run and will never be answered. What came of each is told.

import { readFileSync } from "node:fs";
import { remoteFault } from "@capstan/orchestrator/client";
import type { NodeProcess, Session } from "./node-process.ts";

export interface Resolved {
  /** `ambiguous`: still. */
  readonly kind: "done" | "failed" | "abandoned" | "ambiguous";
  /** Nobody had to ask. */
  readonly byItself: boolean;
  readonly code?: string;
  readonly text?: string;
}

interface Listed {
  readonly items: readonly { readonly id: string; readonly action: string }[];
}

export interface Site {
  readonly node: NodeProcess;
  readonly offers: ReadonlySet<string>;
  session(): Promise<Session>;
}

/** An execution that its caller was told to be ambiguous. */
export interface Ambiguous {
  readonly node: string;
  readonly execution: string;
}

/** For the providers and then all between to know: what was asked by itself is asked with growing pauses. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 100;
const PAGE = { limit: 1000 };

/** By node and execution: `n0 x-…`. */
export type Settled = ReadonlyMap<string, Resolved>;

/** @returns what became of those that callers were told of, and what is still open, in words */
export async function settle(
  sites: readonly Site[],
  told: () => readonly Ambiguous[],
): Promise<{ readonly settled: Settled; readonly open: readonly string[] }> {
  const byHand = new Map<string, Resolved>();
  const over = performance.now() + PATIENCE_MS;
  for (let open = 1; open > 0 && performance.now() < over; await Bun.sleep(open > 0 ? PAUSE_MS : 0)) {
    open = 0;
    for (const site of sites) {
      const { items } = await listed(site, "ambiguous");
      open += items.length + (await listed(site, "running")).items.length;
      await Promise.all(
        items.map(async ({ id, action }) => {
          const came = await tried(site, id, action);
          if (came !== undefined) byHand.set(`${site.node.name} ${id}`, came);
        }),
      );
    }
  }
  const settled = new Map<string, Resolved>();
  for (const { node, execution } of told()) {
    const site = sites.find((one) => one.node.name === node) as Site;
    settled.set(`${node} ${execution}`, byHand.get(`${node} ${execution}`) ?? (await became(site, execution)));
  }
  const left: string[] = [];
  for (const site of sites)
    for (const state of ["ambiguous", "running"] as const)
      for (const { id, action } of (await listed(site, state)).items) {
        const { text = "" } = byHand.get(`${site.node.name} ${id}`) ?? {};
        left.push(`LOST ${site.node.name} ${id} (${action}) is ${state} in the end: ${text}`);
      }
  return { settled, open: left };
}

async function listed(site: Site, state: "ambiguous" | "running"): Promise<Listed> {
  const { scope } = await site.session();
  return (await scope.execution.list({ ...PAGE, state })) as Listed;
}

/** `undefined`: it had gone on by itself meanwhile. */
async function tried(site: Site, id: string, action: string): Promise<Resolved | undefined> {
  const { scope } = await site.session();
  const abandoned = async (): Promise<Resolved> => {
    await scope.execution.abandon({ id });
    return { kind: "abandoned", byItself: false };
  };
  try {
    // Its own, and the node died with it: to ask again is to run it again.
    if (site.offers.has(`action:${action}`) && ran(site.node, id)) return await abandoned();
    await scope.execution.retry({ id });
    return { kind: "done", byItself: false };
  } catch (thrown) {
    const { code, message } = remoteFault(thrown);
    if (code === "EXECUTION_UNKNOWN") return undefined;
    if (code !== "EXECUTION_AMBIGUOUS") return { kind: "failed", byItself: false, code, text: message };
    // Who ran it will never say more.
    if (/given up/.test(message)) return await abandoned().catch(() => undefined);
    return { kind: "ambiguous", byItself: false, code, text: message };
  }
}

async function became(site: Site, id: string): Promise<Resolved> {
  const { scope } = await site.session();
  const { state, error } = (await scope.execution.show({ id })) as { state: string; error?: { code: string } };
  if (state === "done") return { kind: "done", byItself: true };
  if (state === "failed" && error !== undefined) return { kind: "failed", byItself: true, code: error.code };
  return { kind: "ambiguous", byItself: true, text: `it is ${state}` };
}

function ran({ runsFile }: NodeProcess, execution: string): boolean {
  return readFileSync(runsFile, "utf8").includes(` ${execution}\n`);
}
