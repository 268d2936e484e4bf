// What a peer may be told of a best path, if anything: split horizon, then the export policy, then what its attributes
// become on the way out (RFC 4271 §5.1). Says what would be announced; what has been is in adj-rib-out.ts.

import { applySet } from "../policy/apply-set.ts";
import type { PolicyRoute, PolicyVerdict, RouteClause } from "../policy/route-policy.ts";
import type { Attributes, Path } from "../rib/path.ts";
import { sameChunk } from "../rib/same.ts";
import type { DomainId, NodeId } from "../wire/names.ts";
import { hasWord, joinWords, type Words } from "../wire/words.ts";

/** An announcement but for its routes. One object for all that are announced together. */
export interface Offer {
  readonly path: Words;
  /** Only inside a domain. */
  readonly localPreference: number | undefined;
  readonly tags: Words;
  /** The attributes of the path that is told, which lead to its chunk. */
  readonly source: Attributes;
}

export const sameOffer = (a: Offer, b: Offer): boolean =>
  a === b ||
  (a.localPreference === b.localPreference &&
    sameChunk(a.source.chunk, b.source.chunk) &&
    a.path === b.path &&
    a.tags === b.tags);

export interface ExportingPeer {
  readonly node: NodeId;
  readonly domain: DomainId;
  readonly internal: boolean;
  readonly exportPolicy: (route: PolicyRoute) => PolicyVerdict;
}

/** Whether it may be told at all, before any policy. */
export function withinHorizon(attributes: Attributes, peer: ExportingPeer): boolean {
  // The peer that told us knows it.
  if (attributes.peer === peer.node) return false;
  // RFC 4271 §9.2: inside a domain every node hears a route from the node that brought it in; hence the full mesh.
  if (peer.internal) return !attributes.internal;
  // It would be filtered there as a loop (RFC 4271 §9.1.2), and need not cross the wire.
  return !hasWord(attributes.path, peer.domain);
}

/** An offer, and the clause that accepted it. For one set of attributes there are few: they are searched one by one. */
interface Made {
  readonly clause: RouteClause | undefined;
  readonly offer: Offer;
}

/** Offers for one peer. Routes that share their attributes and their clause share the offer, as long as this lives. */
export class Offers {
  readonly #peer: ExportingPeer;
  readonly #domain: DomainId;
  readonly #byAttributes = new Map<Attributes, Made[]>();
  /** The attributes of the last route: routes that come in a row mostly share them. */
  #attributes: Attributes | undefined;
  #made: Made[] = [];
  #route: { name: string } & PolicyRoute = EMPTY;

  constructor(peer: ExportingPeer, ownDomain: DomainId) {
    this.#peer = peer;
    this.#domain = ownDomain;
  }

  of(best: Path): Offer | undefined {
    const { attributes } = best;
    if (attributes !== this.#attributes) {
      if (!withinHorizon(attributes, this.#peer)) return undefined;
      this.#lookAt(attributes);
    }
    this.#route.name = best.name;
    const { accepted, clause } = this.#peer.exportPolicy(this.#route);
    if (!accepted) return undefined;
    for (const made of this.#made) if (made.clause === clause) return made.offer;
    const offer = this.#make(attributes, clause);
    this.#made.push({ clause, offer });
    return offer;
  }

  #lookAt(attributes: Attributes): void {
    this.#attributes = attributes;
    const made = this.#byAttributes.get(attributes) ?? [];
    if (made.length === 0) this.#byAttributes.set(attributes, made);
    this.#made = made;
    const { claim } = attributes.chunk;
    this.#route = {
      name: "",
      origin: claim.node,
      originDomain: claim.domain,
      path: attributes.path,
      tags: attributes.tags,
      learnedFrom: attributes.peer ?? "self",
    };
  }

  #make(attributes: Attributes, clause: RouteClause | undefined): Offer {
    const { internal } = this.#peer;
    if (internal) {
      const { path, localPreference, tags } = applySet(attributes, clause);
      return { path, localPreference, tags, source: attributes };
    }
    // RFC 4271 §5.1.2: our own domain in front where it leaves us; §5.1.5: no preference.
    const { path, tags } = applySet(attributes, clause, this.#domain);
    return { path: joinWords(this.#domain, path), localPreference: undefined, tags, source: attributes };
  }
}

const EMPTY: { name: string } & PolicyRoute = {
  name: "",
  origin: "",
  originDomain: "",
  path: "",
  tags: "",
  learnedFrom: "self",
};
