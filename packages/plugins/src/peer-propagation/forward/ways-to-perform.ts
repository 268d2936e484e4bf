// Which neighbours can be asked for a performing now, the best first: whom the caller addressed, whoever was asked before, and those with
// a path to whoever may do it. It never goes back where it came from.

import type { Repeatable } from "@capstan/orchestrator";
import type { CarriedCall } from "../../registry/elsewhere.ts";
import type { PeerName } from "./far-answer.ts";
import type { Neighbour, Peers } from "./neighbour.ts";

export interface Choice {
  readonly peer: PeerName;
  readonly neighbour: Neighbour;
  /** The node that is to do it; `undefined`: whoever does, by the neighbour's best way. */
  readonly origin: string | undefined;
  readonly digest: string | undefined;
  readonly repeatable: Repeatable | undefined;
}

type Asked = Pick<CarriedCall, "name" | "via" | "origin" | "only" | "address"> &
  Partial<Pick<CarriedCall, "again" | "open" | "repeatable" | "digest">>;

export function* choices(peers: Peers, asked: Asked): Generator<Choice> {
  const { name, via, only, address, again, open = [], repeatable } = asked;
  const before = again === undefined ? [] : [again, ...open];
  // Before anything was asked whoever leads there may do it, unless somebody said who.
  const origin = only || again !== undefined ? asked.origin : undefined;
  const at = (node: string): Pick<Choice, "peer" | "neighbour"> | undefined => {
    const neighbour = peers.neighbour(node);
    if (neighbour === undefined || neighbour.ended || (neighbour.leaving && !before.includes(node))) return undefined;
    return { peer: { name: neighbour.name, node }, neighbour };
  };
  for (const node of before) {
    const found = at(node);
    if (found !== undefined) yield { ...found, origin, digest: asked.digest, repeatable };
  }
  if (address !== undefined && "neighbour" in address) {
    const found = before.includes(address.node) ? undefined : at(address.node);
    if (found !== undefined) yield { ...found, origin, digest: undefined, repeatable: undefined };
    return;
  }
  for (const path of [...peers.pathsOf(`action:${name}`)]) {
    const { peer, digest } = path;
    if (peer === undefined || via.includes(peer)) continue;
    if (before.includes(peer) || (origin !== undefined && path.origin !== origin)) continue;
    if (address !== undefined && path.origin !== address.origin && path.domain !== address.origin) continue;
    // A session that ended a moment ago may still have its paths: nothing was sent, so the next one is as good.
    const found = at(peer);
    if (found === undefined) continue;
    // What may be done twice may be done by anybody; else whoever it is asked for, so that it is known whom to ask again.
    const pinned = path.repeatable === undefined || origin !== undefined || address !== undefined;
    yield { ...found, origin: pinned ? path.origin : undefined, digest, repeatable: path.repeatable };
  }
}

/** Why nobody can be asked, of whom nobody was. */
export function whyNobody(peers: Peers, { name, via, address }: Asked): string {
  if (address !== undefined && "neighbour" in address) return `there is no session with ${address.neighbour} now`;
  const leading = [...peers.pathsOf(`action:${name}`)].filter(({ peer }) => peer !== undefined && !via.includes(peer));
  if (leading.length === 0) return "whoever leads there is whom it came from, or nobody does any more";
  if (address !== undefined)
    return `no way leads to an origin "${address.origin}", and no peer of that name has a session`;
  return "no session with a peer that leads there is open";
}
