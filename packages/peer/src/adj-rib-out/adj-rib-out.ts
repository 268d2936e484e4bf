// Adj-RIB-Out (RFC 4271 §3.2): what one peer has been told, and which names have changed since. What to tell is worked out when it is
// sent, so that a name that changes often in between is told once, with its latest state.

import type { Follower, LocRib } from "../loc-rib/loc-rib.ts";
import type { Chunk } from "../origin/chunk.ts";
import type { Advertised, Outgoing } from "../rib/outcome.ts";
import type { Path } from "../rib/path.ts";
import type { DomainId, RouteName } from "../wire/names.ts";
import { Draft } from "./draft.ts";
import { type ExportingPeer, type Offer, Offers, sameOffer, withinHorizon } from "./offer.ts";

/**
 * What a restarted node keeps back from a peer while it waits for its peers' tables (RFC 4724 §4.1): `nothing`; the `end`-of-table marker;
 * or that and the routes of `others`, everything but its own.
 */
export type KeptBack = "nothing" | "end" | "others";

/** A walk over the whole of Loc-RIB. */
interface Dump {
  readonly names: Iterator<RouteName>;
  /** A name that did not fit into the last update, and is first in the next. */
  next: RouteName | undefined;
  /** Whether routes that the peer was told already are sent again. */
  readonly again: boolean;
}

export class AdjRibOut implements Follower {
  readonly #peer: ExportingPeer;
  readonly #domain: DomainId;
  readonly #locRib: LocRib;
  readonly #told = new Map<RouteName, Offer>();
  /** Names that changed, in the order in which they did. */
  readonly #dirty = new Set<RouteName>();
  #dump: Dump | undefined;
  #owesEnd = false;
  #keptBack: KeptBack = "nothing";
  /** Names that came up while they were kept back. */
  readonly #waiting = new Set<RouteName>();

  constructor(peer: ExportingPeer, ownDomain: DomainId, locRib: LocRib) {
    this.#peer = peer;
    this.#domain = ownDomain;
    this.#locRib = locRib;
  }

  bestChanged(name: RouteName, best: Path | undefined): void {
    const nothingToTell = best === undefined || !withinHorizon(best.attributes, this.#peer);
    if (nothingToTell && !this.#told.has(name)) this.#dirty.delete(name);
    else this.#dirty.add(name);
  }

  /** Sends the whole table, then end-of-table. @param again also routes that the peer was told already, because it asks for the table */
  tellAll(again: boolean): void {
    this.#walk(again);
    this.#owesEnd = true;
  }

  /** The export policy has changed: only routes for which it decides differently will be sent. */
  reconsider(): void {
    this.#walk(this.#dump?.again ?? false);
  }

  /** Sets what is kept back. `others`: with half of the peers' tables known, best paths would be sent that are soon replaced. */
  keepBack(what: KeptBack): void {
    if (what !== "others") {
      for (const name of this.#waiting) this.#dirty.add(name);
      this.#waiting.clear();
    }
    this.#keptBack = what;
  }

  get pending(): boolean {
    return this.#dirty.size > 0 || this.#dump !== undefined || this.#endIsDue;
  }

  take(maxRoutes: number): Outgoing {
    const draft = new Draft(Math.max(1, maxRoutes));
    const offers = new Offers(this.#peer, this.#domain);
    // Changes come first, because they are few and urgent. But the table also goes on, however much changes meanwhile.
    const forChanges = this.#dump === undefined ? draft.maxRoutes : Math.ceil(draft.maxRoutes / 2);
    for (const name of this.#dirty) {
      if (!this.#tell(name, false, draft, offers, forChanges)) break;
      this.#dirty.delete(name);
    }
    this.#takeOfDump(draft, offers);
    const endOfTable = this.#endIsDue && this.#dump === undefined;
    if (endOfTable) this.#owesEnd = false;
    return { withdraw: draft.withdraw, announce: draft.announcements(), endOfTable };
  }

  get #endIsDue(): boolean {
    return this.#owesEnd && this.#keptBack === "nothing";
  }

  *advertised(): Generator<Advertised> {
    const digests = new Map<Chunk, Map<RouteName, string>>();
    for (const [name, { path, localPreference, tags, source }] of this.#told) {
      const { chunk } = source;
      let digestOf = digests.get(chunk);
      if (digestOf === undefined) {
        digestOf = new Map();
        for (const [leaf, digest] of chunk.leaves) if (typeof leaf === "string") digestOf.set(leaf, digest);
        digests.set(chunk, digestOf);
      }
      const digest = digestOf.get(name) ?? "";
      yield { name, digest, path, tags, chunk, ...(localPreference === undefined ? {} : { localPreference }) };
    }
  }

  #walk(again: boolean): void {
    this.#dump = { names: this.#locRib.names(), next: undefined, again };
  }

  #takeOfDump(draft: Draft, offers: Offers): void {
    const dump = this.#dump;
    if (dump === undefined) return;
    for (;;) {
      if (dump.next === undefined) {
        const step = dump.names.next();
        if (step.done === true) break;
        dump.next = step.value;
      }
      if (!this.#tell(dump.next, dump.again, draft, offers, draft.maxRoutes)) return;
      dump.next = undefined;
    }
    this.#dump = undefined;
  }

  /** Adds the name to the draft. @returns false, having done nothing, where it must wait for the next update. */
  #tell(name: RouteName, again: boolean, draft: Draft, offers: Offers, upTo: number): boolean {
    const best = this.#locRib.best(name);
    const offer = best && offers.of(best);
    const told = this.#told.get(name);
    if (this.#keptBack === "others" && told === undefined && best?.attributes.peer !== undefined) {
      this.#waiting.add(name);
      return true;
    }
    if (offer === undefined) {
      if (told === undefined) return true;
      if (!draft.hasRoomToWithdraw(upTo)) return false;
      draft.forget(name);
      this.#told.delete(name);
      return true;
    }
    if (!again && told !== undefined && sameOffer(told, offer)) {
      // Replaced also where both offers are equal: the old one may keep a path in memory that is gone.
      this.#told.set(name, offer);
      return true;
    }
    if (!draft.hasRoomFor(offer, upTo)) return false;
    draft.announce(name, offer);
    this.#told.set(name, offer);
    return true;
  }
}
