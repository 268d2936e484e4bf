// Four nodes in a line, A–B–C–D, each its own domain, and a client of all of them. A dials B, and so do D and C the one before them:
// what goes from B to C is asked over a callback, as where only one of two can be reached.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cpuMicros, diskDirectory } from "../kernel/machine.ts";
import { startWorker, type Worker } from "../kernel/worker.ts";
import type { Address, InTurn, Load, Loaded } from "./client.ts";
import type { Identity, PeerToAdd } from "./node-process.ts";

export const NODES = ["a", "b", "c", "d"] as const;
export type NodeName = (typeof NODES)[number];
const DIALS: Readonly<Record<string, boolean>> = { ab: true, bc: false, cd: true };

/** What was used meanwhile: microseconds of CPU. */
export interface Used {
  readonly client: number;
  readonly nodes: Readonly<Record<NodeName, number>>;
  /** All of it, and what the process used that measures. */
  readonly all: number;
}

export class Chain {
  readonly #directory = diskDirectory();
  readonly #nodes = new Map<NodeName, Worker>();
  readonly #connections = new Map<NodeName, number>();
  #client: Worker | undefined;

  async start(): Promise<void> {
    // Nothing is pinned: there are more processes than cores, and the system shares them as it would anywhere.
    this.#client = await startWorker(new URL("./client.ts", import.meta.url), undefined);
    for (const name of NODES) {
      const data = mkdtempSync(join(this.#directory, `${name}-`));
      const node = await startWorker(new URL("./node-process.ts", import.meta.url), undefined, data, name);
      this.#nodes.set(name, node);
      this.#connections.set(
        name,
        (await this.#client.ask("connect", (await node.ask("address")) as Address)) as number,
      );
    }
    for (let i = 1; i < NODES.length; i++) await this.#pair(NODES[i - 1] as NodeName, NODES[i] as NodeName);
    // The furthest is the last to be known.
    while (!(await this.#node("a").ask("reaches", "d/echo"))) await Bun.sleep(20);
  }

  /** The action of one node, asked of another. */
  asked(at: NodeName, of: NodeName, action: "echo" | "once" = "echo") {
    return { connection: this.#connections.get(at) as number, action: `${of}/${action}` };
  }

  async inTurn(asked: InTurn): Promise<{ readonly medians: readonly number[]; readonly used: Used }> {
    const [medians, used] = await this.#using(() => (this.#client as Worker).ask("inTurn", asked));
    return { medians: medians as readonly number[], used };
  }

  async load(load: Load): Promise<{ readonly loaded: Loaded; readonly used: Used }> {
    const [loaded, used] = await this.#using(() => (this.#client as Worker).ask("load", load));
    return { loaded: loaded as Loaded, used };
  }

  async end(): Promise<void> {
    for (const worker of [...(this.#client === undefined ? [] : [this.#client]), ...this.#nodes.values()])
      await worker.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #node(name: NodeName): Worker {
    return this.#nodes.get(name) as Worker;
  }

  async #pair(near: NodeName, far: NodeName): Promise<void> {
    const [one, other] = [this.#node(near), this.#node(far)];
    const dials = DIALS[near + far];
    const told = async (name: NodeName, worker: Worker, dialled: boolean): Promise<PeerToAdd> => ({
      ...{ name, ...((await worker.ask("identity")) as Identity) },
      ...(dialled ? { address: (await worker.ask("url")) as string } : {}),
    });
    await other.ask("peer", await told(near, one, !dials));
    await one.ask("peer", await told(far, other, dials === true));
    while (!(await one.ask("reaches", `${far}/echo`))) await Bun.sleep(20);
  }

  async #using<T>(work: () => Promise<T>): Promise<readonly [T, Used]> {
    const own = cpuMicros();
    const before = await this.#cpu();
    const answer = await work();
    const after = await this.#cpu();
    const client = after.client - before.client;
    const nodes = { ...after.nodes };
    for (const name of NODES) nodes[name] -= before.nodes[name];
    const all = client + Object.values(nodes).reduce((sum, one) => sum + one, 0) + cpuMicros() - own;
    return [answer, { client, nodes, all }];
  }

  async #cpu(): Promise<{ readonly client: number; readonly nodes: Record<NodeName, number> }> {
    const client = (await (this.#client as Worker).ask("cpu")) as number;
    const nodes = { a: 0, b: 0, c: 0, d: 0 };
    for (const name of NODES) nodes[name] = (await this.#node(name).ask("cpu")) as number;
    return { client, nodes };
  }
}
