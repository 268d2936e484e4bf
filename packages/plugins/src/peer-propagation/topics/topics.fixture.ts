// Nodes in a line or with two ways round, of which the last publishes: what arrives at the first, and how often a link was crossed.

import { afterEach } from "bun:test";
import { importedTable } from "../../publisher/elsewhere/topics.ts";
import {
  complete,
  type NodeOptions,
  type PairOptions,
  type PeerNode,
  peered,
  startNode,
  until,
} from "../peers.fixture.ts";

const started = new Set<PeerNode>();

afterEach(async () => {
  const nodes = [...started];
  started.clear();
  await Promise.all(nodes.map(({ server }) => server.stop()));
});

export async function node(id: string, options: Partial<NodeOptions> = {}): Promise<PeerNode> {
  const one = await startNode({ id, ...options });
  started.add(one);
  return one;
}

export async function stopped(one: PeerNode): Promise<void> {
  started.delete(one);
  await one.server.stop();
}

/** Each dials the next. */
export async function line(nodes: readonly PeerNode[], options: PairOptions = {}): Promise<void> {
  for (let i = 1; i < nodes.length; i++) await peered(nodes[i - 1] as PeerNode, nodes[i] as PeerNode, options);
}

/** A link is cut, and there again. */
export async function cut(one: PeerNode, other: PeerNode): Promise<() => Promise<void>> {
  await one.app.peer.stop({ name: other.id, now: true });
  return async () => {
    await one.app.peer.start({ name: other.id });
    await complete(one, other.id);
  };
}

export const TOPIC = "action.tick";

/** The action whose outputs are published. */
export async function publishes(one: PeerNode): Promise<(...numbers: number[]) => Promise<void>> {
  await one.app.action.register({ name: "tick", protocol: "echo" });
  return async (...numbers) => {
    for (const n of numbers) await one.app.action.publish({ name: "tick", output: n });
  };
}

export interface ShownElsewhere {
  readonly state: string;
  readonly why?: string;
  readonly via?: string;
  readonly missed?: { readonly why: string };
}

export async function elsewhere(one: PeerNode, id: string): Promise<ShownElsewhere> {
  const { elsewhere: [shown] = [] } = (await one.app.subscription.show({ id })) as { elsewhere?: ShownElsewhere[] };
  return shown as ShownElsewhere;
}

/** A subscription to the topic elsewhere, once its place there is known. */
export async function subscribed(one: PeerNode): Promise<string> {
  await until(() => leads(one));
  const { id } = await one.app.subscription.create({ topic: TOPIC });
  await until(() => one.hub.reader.get(importedTable, TOPIC));
  return id;
}

async function leads(one: PeerNode): Promise<boolean> {
  const { paths } = await one.app.route.show({ route: `topic:${TOPIC}` });
  return paths.length > 0;
}

interface Page {
  readonly items: readonly { readonly data: unknown }[];
  readonly next: string;
}

/** What a subscription is handed until it has so many, and what more there is at once. */
export async function handed(one: PeerNode, id: string, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  const over = Date.now() + 30_000;
  let after: string | undefined;
  for (;;) {
    const wait = found.length < count && Date.now() < over ? 1_000 : 0;
    const { items, next } = (await one.app.subscription.read({ id, ...(after && { after }), wait })) as Page;
    found.push(...items.map(({ data }) => data));
    if (wait === 0 && items.length === 0) return found;
    after = next;
  }
}

/** How often a node was asked for a topic by a peer. */
export function reads(one: PeerNode, peer: PeerNode): number {
  return one.messages.filter((message) => message === `peer.${peer.id} topic.read`).length;
}

export function numbers(to: number, from = 1): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
