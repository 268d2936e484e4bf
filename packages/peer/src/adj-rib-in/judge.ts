// Judges received routes: a route becomes a candidate, with its attributes as the import policy sets them, or is filtered, with
// the reason. One judge for all routes with the same attributes, so that shared checks are made
// once. Damping, which depends on a route's past, is not decided here.

import { voidFrom } from "../origin/assess.ts";
import type { Ownership } from "../origin/ownership.ts";
import { applySet } from "../policy/apply-set.ts";
import type { PolicyRoute, PolicyVerdict, RouteClause } from "../policy/route-policy.ts";
import type { At } from "../rib/config.ts";
import type { Attributes, Filtered, ReceivedAttributes } from "../rib/path.ts";
import type { DomainId, NodeId, RouteName } from "../wire/names.ts";
import { hasMoreWords, hasWord } from "../wire/words.ts";
import type { Epochs } from "./epochs.ts";
import type { Announcer } from "./read-attributes.ts";

/** What a judgement depends on, besides the route and its peer. */
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

/** The keys that are pinned for a node: those of its owner entries, and the peer's configured ones if the node is the peer itself. */
export function pinnedKeys(node: NodeId, peer: ImportingPeer, ownership: Ownership): readonly string[] {
  const listed = ownership.keysOf(node);
  if (node !== peer.node) return listed ?? [];
  return listed === undefined ? peer.keys : [...listed, ...peer.keys];
}

/**
 * The keys whose epochs count for a claim: for an unpinned key only itself, because otherwise anybody could void any origin's
 * routes by a high epoch.
 */
export const epochKeys = (key: string, pinned: readonly string[]): readonly string[] =>
  pinned.includes(key) ? pinned : [key];

/** Why a received path has become void since: expired, or of an earlier epoch. */
export function voidness({ chunk }: Attributes, peer: ImportingPeer, grounds: Grounds, at: At): Filtered | undefined {
  const { claim } = chunk;
  const { tolerance, ownership, epochs } = grounds;
  if (at.wall >= voidFrom(claim, tolerance)) return EXPIRED;
  const keys = epochKeys(claim.key, pinnedKeys(claim.node, peer, ownership));
  const floor = epochs.floor(claim.node, keys, at.now);
  return claim.epoch < floor ? { why: "old-epoch", by: String(floor) } : undefined;
}

/** What all routes of a chunk share, whatever their attributes. */
interface OfChunk {
  readonly peer: ImportingPeer;
  readonly grounds: Grounds;
  readonly filtered: Filtered | undefined;
  /** The peer itself is the origin, and the key is pinned for it. */
  readonly peersOwn: boolean;
  /** Reused for every call of a policy: policies only read it. */
  readonly route: { -readonly [Field in keyof PolicyRoute]: PolicyRoute[Field] };
}

/** What decides a judgement: a clause, the owner, or `undefined` where no clause matched. */
type Ground = RouteClause | NodeId | undefined;

export class Judge {
  readonly received: ReceivedAttributes;
  readonly #ofChunk: OfChunk;
  /** The judgement of all routes, where all are filtered for the same reason. */
  readonly #all: Judgement | undefined;
  /** The latest ground and judgement: mostly all routes with the same attributes have the same. */
  #ground: Ground;
  #judgement: Judgement | undefined;
  /** Earlier judgements, by ground. */
  #given: Map<Ground, Judgement> | undefined;
  #unowned: Judgement | undefined;

  /** A judge for the routes with these attributes. */
  static of(received: ReceivedAttributes, peer: ImportingPeer, grounds: Grounds, at: At): Judge {
    const { node: origin, domain: originDomain, key } = received.chunk.claim;
    return new Judge(received, {
      ...{ peer, grounds, filtered: voidness(received, peer, grounds, at) },
      peersOwn: origin === peer.node && pinnedKeys(origin, peer, grounds.ownership).includes(key),
      route: { name: "", origin, originDomain, path: "", tags: "", learnedFrom: peer.node },
    });
  }

  private constructor(received: ReceivedAttributes, ofChunk: OfChunk) {
    this.received = received;
    this.#ofChunk = ofChunk;
    const filtered = ofChunk.filtered ?? this.#courseFault();
    this.#all = filtered && { attributes: received, filtered };
  }

  /** A judge for routes of the same chunk with other attributes. */
  beside(received: ReceivedAttributes): Judge {
    return new Judge(received, this.#ofChunk);
  }

  judge(name: RouteName): Judgement {
    if (this.#all !== undefined) return this.#all;
    const { peer, grounds, peersOwn, route } = this.#ofChunk;
    const owner = grounds.ownership.check(name, route.origin);
    if (typeof owner === "object") return this.#filter({ why: "not-the-owner", by: owner.owner }, owner.owner);
    route.name = name;
    route.path = this.received.path;
    route.tags = this.received.tags;
    const { accepted, clause } = peer.importPolicy(route);
    if (!accepted) return this.#filter({ why: "import-policy", by: clause?.name ?? "default" }, clause);
    if (owner === "unowned" && !peersOwn && !peer.internal && clause?.unowned !== true) {
      this.#unowned ??= { attributes: this.received, filtered: UNOWNED };
      return this.#unowned;
    }
    return this.#known(clause) ?? this.#give(clause, applySet(this.received, clause), undefined);
  }

  #courseFault(): Filtered | undefined {
    const { path, chunk } = this.received;
    const { node, domain } = this.#ofChunk.grounds;
    const { pathLength } = this.#ofChunk.peer;
    if (hasMoreWords(path, pathLength)) return { why: "path-too-long", by: String(pathLength) };
    // RFC 4271 §9.1.2: our own domain in the path.
    if (hasWord(path, domain)) return { why: "loop", by: domain };
    // As RFC 4456 §8 for a router that sees its own id as the originator's: inside a domain paths are empty,
    // and routes that we announced before a restart must not come back to us through a peer.
    return chunk.claim.node === node ? { why: "loop", by: node } : undefined;
  }

  #filter(filtered: Filtered, ground: Ground): Judgement {
    return this.#known(ground) ?? this.#give(ground, this.received, filtered);
  }

  #known(ground: Ground): Judgement | undefined {
    return ground === this.#ground && this.#judgement !== undefined ? this.#judgement : this.#given?.get(ground);
  }

  #give(ground: Ground, attributes: Attributes, filtered: Filtered | undefined): Judgement {
    if (this.#judgement !== undefined) {
      this.#given ??= new Map([[this.#ground, this.#judgement]]);
      this.#given.set(ground, { attributes, filtered });
    }
    this.#ground = ground;
    this.#judgement = this.#given?.get(ground) ?? { attributes, filtered };
    return this.#judgement;
  }
}
