// Nodes in a ring with a chord, each its own domain; each link through a proxy of the test's. Configured as an operator would: keys and a
// secret for each pair, policies that let all pass.

import { randomBytes } from "node:crypto";
import type { SpeakerTiming } from "@capstan/peer";
import type { FrameTap } from "./frame-tap.ts";
import { LinkProxy } from "./link-proxy.ts";
import type { ActionUnderLoad } from "./load.ts";
import { NodeProcess, type Session } from "./node-process.ts";
import type { Edge, Site } from "./oracle.ts";

export interface Link {
  /** The one that dials, and the one that is dialled. */
  readonly ends: Edge;
  readonly proxy: LinkProxy;
}

/** An update that withdrew something, by whom and to whom. */
export interface Withdrawal {
  readonly at: number;
  readonly by: string;
  readonly to: string;
  readonly routes: readonly string[];
}

export interface Network {
  readonly nodes: readonly NodeProcess[];
  readonly links: readonly Link[];
  readonly sites: readonly Site[];
  readonly actions: readonly ActionUnderLoad[];
  readonly withdrawals: Withdrawal[];
}

/** Short, so that a hundred rounds take minutes; long enough for a busy machine of two processors. */
export const TIMING = {
  holdTime: 5_000,
  connectTime: 2_000,
  openTime: 3_000,
  backoff: { first: 100, last: 1_000 },
  // Whoever is gone for longer is gone (RFC 4724 §4.1). A node that was itself suspended may notice that a third of the hold time late, as
  // for so long it would have heard nothing of a live peer either; both together are less than the hold time and a second.
  restartTime: 4_000,
  deferral: 3_000,
  advertisementInterval: 50,
} as const satisfies Partial<SpeakerTiming>;

const EVERYTHING = { clauses: [{ name: "everything", then: "accept" as const }] };
const IMPORT = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };

/** A ring, and where there are enough nodes, a link across. */
export function ringWithChord(nodes: number): Edge[] {
  const ring = Array.from({ length: nodes }, (_, i): Edge => [`n${i}`, `n${(i + 1) % nodes}`]);
  return nodes > 3 ? [...ring, ["n1", `n${1 + Math.floor(nodes / 2)}`]] : ring;
}

/** Each node has one action of its own that may run twice and one that may not; and two of each are of two nodes. */
function offersOf(i: number, nodes: number): ActionUnderLoad[] {
  const own = [
    { name: `own.once.${i}`, idempotent: false },
    { name: `own.again.${i}`, idempotent: true },
  ];
  const far = Math.floor(nodes / 2);
  if (i === 0 || i === far) own.push({ name: "both.once", idempotent: false });
  if (i === 1 || i === 1 + far) own.push({ name: "both.again", idempotent: true });
  return own;
}

export async function buildNetwork(home: string, count: number, nodes: NodeProcess[]): Promise<Network> {
  for (let i = 0; i < count; i++) nodes.push(new NodeProcess(home, `n${i}`, TIMING));
  await Promise.all(nodes.map((node) => node.start()));
  const sessions = new Map(nodes.map((node) => [node.name, node.connect()]));
  const offers = nodes.map((_, i) => offersOf(i, count));
  await Promise.all(
    nodes.map(async (node, i) => {
      const { scope } = sessions.get(node.name) as Session;
      node.key = ((await scope.peer.identity({})) as { key: string }).key;
      for (const { name, idempotent } of offers[i] as readonly ActionUnderLoad[])
        await scope.action.register({ name, protocol: "write-down", idempotent });
    }),
  );
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const withdrawals: Withdrawal[] = [];
  const links: Link[] = [];
  for (const ends of ringWithChord(count)) {
    const [from, to] = ends.map((name) => byName.get(name)) as [NodeProcess, NodeProcess];
    const said: ConstructorParameters<typeof FrameTap>[0] extends (update: infer U) => void
      ? (by: "dialler" | "dialled", update: U) => void
      : never = (by, { withdrawn }) => {
      if (withdrawn.length === 0) return;
      const [who, whom] = by === "dialler" ? [from, to] : [to, from];
      withdrawals.push({ at: performance.now(), by: who.name, to: whom.name, routes: withdrawn });
    };
    const proxy = await LinkProxy.listen({ port: to.port, said });
    links.push({ ends, proxy });
    await peer(sessions, from, to, proxy.url);
  }
  for (const session of sessions.values()) session.close();
  const sites = nodes.map(({ name, id, domain }, i) => ({
    ...{ name, id, domain },
    offers: (offers[i] as readonly ActionUnderLoad[]).map((action) => `action:${action.name}`),
  }));
  const actions = [...new Map(offers.flat().map((action) => [action.name, action])).values()];
  return { nodes, links, sites, actions, withdrawals };
}

async function peer(sessions: ReadonlyMap<string, Session>, from: NodeProcess, to: NodeProcess, address: string) {
  const secret = randomBytes(32).toString("base64url");
  for (const [here, there, where] of [
    [to, from, undefined],
    [from, to, address],
  ] as const) {
    const { scope } = sessions.get(here.name) as Session;
    const kept = await scope.peer.keep({ name: there.name, secret });
    await scope.peer.add({
      ...{ name: there.name, node: there.id, keys: [there.key], secrets: [kept.secret as never] },
      ...{ import: IMPORT, export: EVERYTHING },
      // Damping is for routes that come and go all the time, as all of them do here.
      limits: { damping: false },
      ...(where === undefined ? {} : { address: where }),
    });
  }
}
