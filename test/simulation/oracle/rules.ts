// The rules, each for one path by itself: what a node may make of an announcement, which of two paths is better, and what a
// peer is told. Written from the protocol's rules (docs/peering.md) and from nothing else.

import { ask, fits, retagged } from "./policy.ts";
import type { Node, Policy, World } from "./world.ts";

/** When what an honest node signs expires: never, because it is signed anew in time. */
export const ALWAYS = Number.POSITIVE_INFINITY;

/** What crosses a session for one name. */
export interface Announced {
  readonly name: string;
  readonly digest: string;
  readonly path: readonly string[];
  readonly tags: readonly string[];
  readonly localPreference: number | undefined;
  readonly origin: string;
  readonly originDomain: string;
  readonly epoch: number;
  readonly expires: number;
  readonly genuine: boolean;
}

/** A way to reach a name, as a node has it after its import policy. */
export interface Way extends Announced {
  /** `undefined`: it is the node's own. */
  readonly peer: string | undefined;
  readonly internal: boolean;
  readonly localPreference: number;
}

export type Receipt =
  | { readonly usable: true; readonly way: Way }
  /**
   * Nothing may be chosen from it. `why`: all reasons that hold, of which a table shows one; `absent`: it may also not be in
   * the table at all, because it was refused at receipt.
   */
  | { readonly usable: false; readonly why: readonly string[]; readonly absent: boolean };

export interface Side {
  readonly node: Node;
  readonly peer: Node;
  readonly policy: Policy;
}

/** Who may originate a name. Empty: nobody has said who. */
export function ownersOf({ owners }: World, name: string): readonly string[] {
  return owners.filter(({ routes }) => routes.some((pattern) => fits(pattern, name))).map(({ node }) => node);
}

/**
 * What `node` makes of what `peer` announces.
 * @param owners of the name.
 * @param old it knows of a later incarnation of the origin.
 */
export function receive(
  world: World,
  { node, peer, policy }: Side,
  it: Announced,
  owners: readonly string[],
  old: boolean,
): Receipt {
  const internal = node.domain === peer.domain;
  const refused: string[] = [];
  const why: string[] = [];
  if (!it.genuine) refused.push("signature");
  if (!wellFormed(it, internal, peer)) refused.push("malformed");
  if (old) refused.push("old-epoch");
  if (it.expires + world.tolerance <= node.wall) refused.push("expired");
  if (it.expires !== ALWAYS && it.expires > node.wall + world.maxLifetime + world.tolerance) refused.push("too-long");
  if (it.path.includes(node.domain) || it.origin === node.id) why.push("loop");
  if (it.path.length > node.pathLength) why.push("path-too-long");

  if (owners.length > 0 && !owners.includes(it.origin)) why.push("not-the-owner");

  const { accepted, clause } = ask(policy, internal, { ...it, learnedFrom: peer.id });
  if (!accepted) why.push("import-policy");
  const letIn = it.origin === peer.id || internal || (accepted && clause?.unowned === true);
  if (owners.length === 0 && !letIn) why.push("unowned");

  if (refused.length > 0) return { usable: false, why: [...refused, ...why], absent: true };
  if (why.length > 0) return { usable: false, why, absent: false };
  const theirs = internal ? it.localPreference : undefined;
  const localPreference = clause?.set?.localPreference ?? theirs ?? world.defaultLocalPreference;
  return {
    usable: true,
    way: { ...it, tags: retagged(it.tags, clause), localPreference, peer: peer.id, internal },
  };
}

/** From another domain a path begins with that domain; any path ends with its origin's; an empty one is of our own domain. */
function wellFormed(it: Announced, internal: boolean, peer: Node): boolean {
  const last = it.path.at(-1);
  if (internal) return last === undefined ? it.originDomain === peer.domain : last === it.originDomain;
  return it.path[0] === peer.domain && last === it.originDomain;
}

/** Less than zero: `a` is better. A total order over one name's ways at one node: no two of them have the same peer. */
export function compareWays(a: Way, b: Way): number {
  const own = Number(b.peer === undefined) - Number(a.peer === undefined);
  if (own !== 0) return own;
  if (a.localPreference !== b.localPreference) return b.localPreference - a.localPreference;
  if (a.path.length !== b.path.length) return a.path.length - b.path.length;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  if (a.internal !== b.internal) return a.internal ? 1 : -1;
  return (a.peer as string) < (b.peer as string) ? -1 : 1;
}

/** What `node`, whose best way this is, tells `peer` of it. `undefined`: nothing. */
export function announce({ node, peer, policy }: Side, best: Way): Announced | undefined {
  const internal = node.domain === peer.domain;
  if (best.peer === peer.id) return undefined; // not back to where it came from
  if (internal && best.internal) return undefined; // split horizon: the domain is fully meshed
  if (!internal && best.path.includes(peer.domain)) return undefined; // the peer would refuse it as a loop
  const { accepted, clause } = ask(policy, internal, { ...best, learnedFrom: best.peer ?? "self" });
  if (!accepted) return undefined;
  const times = internal ? 0 : 1 + (clause?.set?.prepend ?? 0);
  return {
    name: best.name,
    digest: best.digest,
    path: [...Array<string>(times).fill(node.domain), ...best.path],
    tags: retagged(best.tags, clause),
    localPreference: internal ? (clause?.set?.localPreference ?? best.localPreference) : undefined,
    origin: best.origin,
    originDomain: best.originDomain,
    epoch: best.epoch,
    expires: best.expires,
    genuine: best.genuine,
  };
}
