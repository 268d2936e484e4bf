// What becomes of the routes of one announcement on their way in: candidates with what the import policy makes of their
// attributes, or filtered, and by what. One of these for all routes with the same attributes, so that what they share
// is worked out once. Decides nothing about damping, which is about a route's past.

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

/** What is the same for all routes of a chunk, whatever their attributes. */
interface OfChunk {
  readonly peer: ImportingPeer;
  readonly grounds: Grounds;
  readonly filtered: Filtered | undefined;
  /** It is the peer's own, and signed by a key that is known as the peer's. */
  readonly peersOwn: boolean;
  /** The same object for every question: policies look at it and keep nothing. */
  readonly route: { -readonly [Field in keyof PolicyRoute]: PolicyRoute[Field] };
}

/** What a judgement goes by: a clause, the owner, or that no clause matched. */
type Ground = RouteClause | NodeId | undefined;

export class Judge {
  readonly received: ReceivedAttributes;
  readonly #ofChunk: OfChunk;
  /** Where all of the routes are filtered for the same. */
  readonly #all: Judgement | undefined;
  /** The judgement that was given last: most routes that share their attributes have one. */
  #ground: Ground;
  #judgement: Judgement | undefined;
  /** Those before it. */
  #given: Map<Ground, Judgement> | undefined;
  #unowned: Judgement | undefined;

  /** Of the routes with these attributes. */
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

  /** Of routes of the same chunk, with other attributes. */
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
    // RFC 4456 §8 has the same of a router that sees its own id as the originator's. Inside a domain paths are empty;
    // and what we announced before a restart must not come back to us as somebody else's.
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
