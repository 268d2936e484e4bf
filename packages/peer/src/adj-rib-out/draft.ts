// An update in the making: names to withdraw, and of each chunk that is told the routes and what they are offered with. Counts what
// it will take, so that no receiver refuses it for its size.

import type { Chunk } from "../origin/chunk.ts";
import { disclose } from "../origin/sign.ts";
import { sameWords } from "../rib/same.ts";
import type { Announcement, Apart } from "../wire/message.ts";
import type { RouteName } from "../wire/names.ts";
import type { Offer } from "./offer.ts";

/** What an update may have, by the wire's schema. */
const MOST_ANNOUNCEMENTS = 1024;
const MOST_WITHDRAWALS = 16_384;
/**
 * By this estimate, which may be out by a factor of 2.5 where names are all quotes and routes are scattered over their chunks: a
 * frame has 4 MiB at the most (wire/read-message.ts), and names or paths that an attacker made as long as he could must not have
 * the peer end its session with us.
 */
const MOST_BYTES = 1.5 * 1024 * 1024;

/** What is told of one chunk. */
interface Told {
  readonly names: Set<RouteName>;
  /** Of the first of them, and of all that have no other. */
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
    // A chunk that is cut costs its signature and hashes in both updates, and in each after them that is made of these.
    // One that fits into an update as a whole rather waits for the next than that this one is filled to the last route.
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
    // With its digest, and a hash or two of what is not told beside it.
    this.#bytes += Buffer.byteLength(name) + 150;
    const { chunk } = offer.source;
    const told = this.#chunks.get(chunk);
    if (told === undefined) {
      this.#chunks.set(chunk, { names: new Set([name]), offer, apart: new Map() });
      // The claim.
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
      const own = apart.size === 0 ? [] : apartOf(offer, apart, leaves);
      announcements.push({
        path: path as Announcement["path"],
        ...(localPreference === undefined ? {} : { localPreference }),
        ...(tags.length === 0 ? {} : { tags: tags as string[] }),
        ...(own.length === 0 ? {} : { apart: own }),
        origin: chunk.claim,
        leaves,
      });
    }
    return announcements;
  }
}

/** Identifiers of 64 characters. */
const attributesBytes = ({ path, tags }: Offer): number => 67 * (path.length + tags.length);

/** What is said of those routes alone that are not offered as the others are. */
function apartOf(others: Offer, apart: Map<Offer, RouteName[]>, leaves: Announcement["leaves"]): Apart[] {
  const places = new Map<string | number, number>();
  for (let place = 0; place < leaves.length; place++)
    places.set((leaves[place] as Announcement["leaves"][number])[0], place);
  const told: Apart[] = [];
  for (const [{ path, localPreference, tags }, names] of apart) {
    const one: Apart = { at: names.map((name) => places.get(name) as number) };
    if (!sameWords(path, others.path)) one.path = path as string[];
    if (localPreference !== undefined && localPreference !== others.localPreference)
      one.localPreference = localPreference;
    if (!sameWords(tags, others.tags)) one.tags = tags as string[];
    // From another announcement of the same: nothing is to be said.
    if (one.path !== undefined || one.localPreference !== undefined || one.tags !== undefined) told.push(one);
  }
  return told;
}
