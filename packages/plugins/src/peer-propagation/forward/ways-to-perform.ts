// Which neighbours can get a call now, the best first: those that received it before, then the addressed neighbour, or those with
// a path to an origin that may run it. A call never goes back to a node that it came through.

import type { Repeatable } from "@capstan/orchestrator";
import type { CarriedCall } from "../../registry/elsewhere.ts";
import type { PeerName } from "../names.ts";
import type { Neighbour, Peers } from "./neighbour.ts";

export interface Choice {
  readonly peer: PeerName;
  readonly neighbour: Neighbour;
  /** The only node that may run it; `undefined`: whichever the neighbour's best path leads to. */
  readonly origin: string | undefined;
  readonly digest: string | undefined;
  readonly repeatable: Repeatable | undefined;
}

/** The most peers that a fault's text names. */
const MOST_NAMED = 3;

type Asked = Pick<CarriedCall, "name" | "via" | "origin" | "only" | "address"> &
  Partial<Pick<CarriedCall, "again" | "open" | "repeatable" | "digest">>;

export function* choices(peers: Peers, asked: Asked): Generator<Choice> {
  const { name, via, only, address, again, open = [], repeatable } = asked;
  const before = again === undefined ? [] : [again, ...open];
  // Before the first call any origin may run it, unless the caller named one.
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
    // The paths of a session that has just ended may still be there: nothing was sent, so the next path is used.
    const found = at(peer);
    if (found === undefined) continue;
    // A call with a promise may run at any origin. Another is bound to one origin, so that it is known which one to ask again.
    const pinned = path.repeatable === undefined || origin !== undefined || address !== undefined;
    yield { ...found, origin: pinned ? path.origin : undefined, digest, repeatable: path.repeatable };
  }
}

/** Why there is no neighbour for a call that was sent to none. */
export function whyNobody(peers: Peers, { name, via, address }: Asked): string {
  if (address !== undefined && "neighbour" in address) return `there is no session with ${address.neighbour} now`;
  const leading = [...peers.pathsOf(`action:${name}`)].filter(({ peer }) => peer !== undefined && !via.includes(peer));
  if (leading.length === 0) return "whoever leads there is whom it came from, or nobody does any more";
  if (address !== undefined)
    return `no way leads to an origin "${address.origin}", and no peer of that name has a session`;
  const names = new Set(leading.map(({ peer }) => peers.neighbour(peer as string)?.name ?? (peer as string)));
  const more = names.size > MOST_NAMED ? `, or another of ${names.size}` : "";
  const named = [...names].slice(0, MOST_NAMED).join(", ");
  return `there is no session with ${named}${more} now, and nobody else leads there`;
}
