// An update in the making: names to withdraw, and of each chunk the routes to announce and their attributes. It estimates the size, so that
// no receiver refuses the update for it.

import type { Chunk } from "../origin/chunk.ts";
import { disclose } from "../origin/sign.ts";
import type { Announcement, Apart } from "../wire/message.ts";
import type { RouteName } from "../wire/names.ts";
import type { Offer } from "./offer.ts";

/** What an update may have, by the wire's schema. */
const MOST_ANNOUNCEMENTS = 1024;
const MOST_WITHDRAWALS = 16_384;
/**
 * The most estimated bytes of an update. The true size may be 2.5 times the estimate, where names are all quotes and routes are scattered
 * over their chunks; a frame has 4 MiB at most (wire/read-message.ts). An attacker's long names must not make the peer end our session.
 */
const MOST_BYTES = 1.5 * 1024 * 1024;

/** What the update says of one chunk. */
interface Told {
  readonly names: Set<RouteName>;
  /** The offer of the chunk's first route, and of all that have no other. */
  readonly offer: Offer;
  readonly apart: Map<Offer, RouteName[]>;
}

export class Draft {
  readonly withdraw: RouteName[] = [];
  readonly #chunks = new Map<Chunk, Told>();
  #routes = 0;
  #bytes = 0;

  constructor(readonly maxRoutes: number) {}

  hasRoomToWithdraw(upTo: number): boolean {
    return this.#routes < upTo && this.#bytes < MOST_BYTES && this.withdraw.length < MOST_WITHDRAWALS;
  }

  hasRoomFor(offer: Offer, upTo: number): boolean {
    if (this.#routes >= upTo || this.#bytes >= MOST_BYTES) return false;
    const { chunk } = offer.source;
    if (this.#chunks.has(chunk)) return true;
    if (this.#chunks.size >= MOST_ANNOUNCEMENTS) return false;
    // A chunk that is split over two updates costs its signature and hashes in both, and again in all updates made from them. So a chunk that
    // fits into one update waits for the next, rather than filling this one up.
    const room = upTo - this.#routes;
    const whole = chunk.leaves.length;
    return whole <= room || whole > this.maxRoutes || this.#routes <= upTo / 2;
  }

  forget(name: RouteName): void {
    this.#routes += 1;
    this.#bytes += Buffer.byteLength(name);
    this.withdraw.push(name);
  }

  announce(name: RouteName, offer: Offer): void {
    this.#routes += 1;
    // For its digest, and a hash or two for routes of the chunk that are left out.
    this.#bytes += Buffer.byteLength(name) + 150;
    const { chunk } = offer.source;
    const told = this.#chunks.get(chunk);
    if (told === undefined) {
      this.#chunks.set(chunk, { names: new Set([name]), offer, apart: new Map() });
      // For the claim.
      this.#bytes += 700 + attributesBytes(offer);
      return;
    }
    told.names.add(name);
    if (offer === told.offer) return;
    const others = told.apart.get(offer);
    if (others !== undefined) {
      others.push(name);
      return;
    }
    told.apart.set(offer, [name]);
    this.#bytes += 60 + attributesBytes(offer);
  }

  announcements(): Announcement[] {
    const announcements: Announcement[] = [];
    for (const [chunk, { names, offer, apart }] of this.#chunks) {
      const { path, localPreference, tags } = offer;
      const leaves = disclose(chunk, names) as Announcement["leaves"];
      const own = apart.size === 0 ? undefined : apartOf(offer, apart, leaves);
      announcements.push({
        path,
        ...(localPreference === undefined ? {} : { localPreference }),
        ...(tags === "" ? {} : { tags }),
        ...(own === undefined ? {} : { apart: own }),
        origin: chunk.claim,
        leaves,
      });
    }
    return announcements;
  }
}

const attributesBytes = ({ path, tags }: Offer): number => path.length + tags.length;

/** The attributes of routes whose offer is not that of the others. */
function apartOf(others: Offer, apart: Map<Offer, RouteName[]>, leaves: Announcement["leaves"]): Announcement["apart"] {
  const placeOf = new Map<string | number, number>();
  for (let place = 0; place < leaves.length; place++)
    placeOf.set((leaves[place] as Announcement["leaves"][number])[0], place);
  const at: Apart["at"] = [];
  const paths: NonNullable<Apart["path"]> = [];
  const preferences: NonNullable<Apart["localPreference"]> = [];
  const tagged: NonNullable<Apart["tags"]> = [];
  for (const [{ path, localPreference = null, tags }, names] of apart) {
    const ownPath = path === others.path ? null : path;
    const ownPreference = localPreference === others.localPreference ? null : localPreference;
    const ownTags = tags === others.tags ? null : tags;
    // The offer comes from another announcement with the same attributes: nothing needs to be said.
    if (ownPath === null && ownPreference === null && ownTags === null) continue;
    const places = names.map((name) => placeOf.get(name) as number);
    at.push(places.length === 1 ? (places[0] as number) : places);
    paths.push(ownPath);
    preferences.push(ownPreference);
    tagged.push(ownTags);
  }
  if (at.length === 0) return undefined;
  const said = (own: unknown): boolean => own !== null;
  return {
    at,
    ...(paths.some(said) ? { path: paths } : {}),
    ...(preferences.some(said) ? { localPreference: preferences } : {}),
    ...(tagged.some(said) ? { tags: tagged } : {}),
  };
}
