// What becomes of the routes of one announcement on their way in: candidates with what the import policy makes of their
// attributes, or filtered, and by what. One of these for all routes with the same attributes, so that what they share
// is worked out once. Decides nothing about damping, which is about a route's past.

import { voidFrom } from "../origin/assess.ts";
import type { Ownership } from "../origin/ownership.ts";
import { applySet } from "../policy/apply-set.ts";
import type { PolicyRoute, PolicyVerdict, RouteClause } from "../policy/route-policy.ts";
import type { At } from "../rib/config.ts";
import type { Attributes, Filtered } from "../rib/path.ts";
import type { DomainId, NodeId, RouteName } from "../wire/names.ts";
import type { Epochs } from "./epochs.ts";
import type { Announcer } from "./read-attributes.ts";

/** What is looked at, beside the route and its peer. */
export interface Grounds {
  readonly node: NodeId;
  readonly domain: DomainId;
  readonly tolerance: number;
  readonly ownership: Ownership;
  readonly epochs: Epochs;
}

export interface ImportingPeer extends Announcer {
  readonly keys: readonly string[];
  readonly importPolicy: (route: PolicyRoute) => PolicyVerdict;
}

export interface Judgement {
  readonly attributes: Attributes;
  readonly filtered: Filtered | undefined;
}

const UNOWNED: Filtered = { why: "unowned", by: "" };
const EXPIRED: Filtered = { why: "expired", by: "" };

/** The keys that are known as that node's: its owner entries', and the session's where the peer itself is meant. */
export function pinnedKeys(node: NodeId, peer: ImportingPeer, ownership: Ownership): readonly string[] {
  const listed = ownership.keysOf(node);
  if (node !== peer.node) return listed ?? [];
  return listed === undefined ? peer.keys : [...listed, ...peer.keys];
}

/**
 * The keys whose epochs count for a claim. Of a key that nobody pinned only its own: else anybody could void any
 * origin.
 */
export const epochKeys = (key: string, pinned: readonly string[]): readonly string[] =>
  pinned.includes(key) ? pinned : [key];

/** Whether time has made a path void since it came. */
export function voidness({ chunk }: Attributes, peer: ImportingPeer, grounds: Grounds, at: At): Filtered | undefined {
  const { claim } = chunk;
  const { tolerance, ownership, epochs } = grounds;
  if (at.wall >= voidFrom(claim, tolerance)) return EXPIRED;
  const keys = epochKeys(claim.key, pinnedKeys(claim.node, peer, ownership));
  const floor = epochs.floor(claim.node, keys, at.now);
  return claim.epoch < floor ? { why: "old-epoch", by: String(floor) } : undefined;
}

export class Judge {
  readonly #received: Attributes;
  readonly #peer: ImportingPeer;
  readonly #grounds: Grounds;
  /** Where all of the routes are filtered for the same. */
  readonly #all: Judgement | undefined;
  /** It is the peer's own, and signed by a key that is known as the peer's. */
  readonly #peersOwn: boolean;
  /** The same object for every question: policies look at it and keep nothing. */
  readonly #route: { name: RouteName } & PolicyRoute;
  readonly #accepted = new Map<RouteClause | undefined, Judgement>();
  readonly #rejected = new Map<RouteClause | undefined, Judgement>();
  readonly #owned = new Map<NodeId, Judgement>();
  #unowned: Judgement | undefined;

  constructor(received: Attributes, peer: ImportingPeer, grounds: Grounds, at: At) {
    this.#received = received;
    this.#peer = peer;
    this.#grounds = grounds;
    const { claim } = received.chunk;
    const filtered = voidness(received, peer, grounds, at) ?? this.#courseFault();
    this.#all = filtered && { attributes: received, filtered };
    this.#peersOwn = claim.node === peer.node && pinnedKeys(claim.node, peer, grounds.ownership).includes(claim.key);
    this.#route = {
      name: "",
      origin: claim.node,
      originDomain: claim.domain,
      path: received.path,
      tags: received.tags,
      learnedFrom: peer.node,
    };
  }

  judge(name: RouteName): Judgement {
    if (this.#all !== undefined) return this.#all;
    const owner = this.#grounds.ownership.check(name, this.#route.origin);
    if (typeof owner === "object") return this.#notTheOwner(owner.owner);
    this.#route.name = name;
    const { accepted, clause } = this.#peer.importPolicy(this.#route);
    if (!accepted) return this.#reject(clause);
    if (owner === "unowned" && !this.#peersOwn && !this.#peer.internal && clause?.unowned !== true) {
      this.#unowned ??= { attributes: this.#received, filtered: UNOWNED };
      return this.#unowned;
    }
    return this.#accept(clause);
  }

  #courseFault(): Filtered | undefined {
    const { path, chunk } = this.#received;
    const { node, domain } = this.#grounds;
    const { pathLength } = this.#peer;
    if (path.length > pathLength) return { why: "path-too-long", by: String(pathLength) };
    // RFC 4271 §9.1.2: our own domain in the path.
    if (path.includes(domain)) return { why: "loop", by: domain };
    // RFC 4456 §8 has the same of a router that sees its own id as the originator's. Inside a domain paths are empty;
    // and what we announced before a restart must not come back to us as somebody else's.
    return chunk.claim.node === node ? { why: "loop", by: node } : undefined;
  }

  #accept(clause: RouteClause | undefined): Judgement {
    let judgement = this.#accepted.get(clause);
    if (judgement === undefined) {
      judgement = { attributes: applySet(this.#received, clause), filtered: undefined };
      this.#accepted.set(clause, judgement);
    }
    return judgement;
  }

  #reject(clause: RouteClause | undefined): Judgement {
    let judgement = this.#rejected.get(clause);
    if (judgement === undefined) {
      judgement = { attributes: this.#received, filtered: { why: "import-policy", by: clause?.name ?? "default" } };
      this.#rejected.set(clause, judgement);
    }
    return judgement;
  }

  #notTheOwner(owner: NodeId): Judgement {
    let judgement = this.#owned.get(owner);
    if (judgement === undefined) {
      judgement = { attributes: this.#received, filtered: { why: "not-the-owner", by: owner } };
      this.#owned.set(owner, judgement);
    }
    return judgement;
  }
}
