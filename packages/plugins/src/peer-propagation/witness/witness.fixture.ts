// A node whose log is witnessed by its neighbours: started again on another state of its files, as somebody with all its keys could.

import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PeerNode, peered, startNode, until } from "../peers.fixture.ts";

/** Looks as often as a test can wait. */
export const WITNESS = { every: 20, rest: 1 };
const FILES = ["log.db", "log.db-wal", "log.db-sums", "log.db.checkpoint"];

export class Site {
  readonly #directories: string[] = [];
  readonly #nodes: PeerNode[] = [];

  directory(): string {
    const directory = mkdtempSync(join(tmpdir(), "capstan-witness-"));
    this.#directories.push(directory);
    return directory;
  }

  async start(id: string, directory?: string, listen?: string): Promise<PeerNode> {
    const where = { ...(directory && { directory }), ...(listen && { listen }) };
    const node = await startNode({ id, ...where, peering: { witness: WITNESS } });
    this.#nodes.push(node);
    return node;
  }

  async stop(node: PeerNode): Promise<void> {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    await node.server.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map(({ server }) => server.stop()));
    for (const directory of this.#directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  }
}

/** The log's files as they are, under another name; and back again. */
export function copyLog(from: string, to: string): void {
  for (const file of FILES) {
    rmSync(join(to, file), { force: true });
    if (existsSync(join(from, file))) cpSync(join(from, file), join(to, file));
  }
}

export interface ShownWitness {
  readonly name: string;
  readonly state: string;
  readonly log?: string;
  readonly size?: number;
  readonly entry?: number;
  readonly why?: string;
  readonly message?: string;
  readonly checkpoint?: string;
  readonly ours?: { readonly size: number };
  readonly evidence?: { readonly held: string; readonly shown: string };
}

export async function witnessed(node: PeerNode, name: string): Promise<ShownWitness> {
  return (await node.app.witness.show({ name })) as ShownWitness;
}

/** A node has cosigned all that another's log has. */
export async function caughtUp(witness: PeerNode, of: PeerNode): Promise<ShownWitness> {
  return until(async () => {
    const shown = await witnessed(witness, of.id);
    const { entries } = await of.app.log.head();
    return shown.state === "cosigned" && shown.size === entries ? shown : undefined;
  });
}

export async function alerted(witness: PeerNode, name: string): Promise<ShownWitness> {
  return until(async () => {
    const shown = await witnessed(witness, name);
    return ["forked", "rewound", "replaced"].includes(shown.state) ? shown : undefined;
  });
}

export async function performs(node: PeerNode, count: number, name = "greet"): Promise<void> {
  for (let input = 1; input <= count; input++) await node.app.action.perform({ name, input });
}

export { peered, until };
