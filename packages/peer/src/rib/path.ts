// One way to reach a name: what a peer announced, or our own. What an announcement's routes share is one object behind
// all of its paths; a path by itself is seven fields, so that a route costs a few hundred bytes.

import type { Chunk } from "../origin/chunk.ts";
import type { Repeatable } from "../wire/message.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import type { Words } from "../wire/words.ts";

/** What has no preference of its own: ours, and what comes from other domains (RFC 4271 §5.1.5). */
export const DEFAULT_PREFERENCE = 100;

/** RFC 4271 §5's path attributes, and how the routes that have them came to us. */
export interface Attributes {
  /** From whom; `undefined`: our own. */
  readonly peer: NodeId | undefined;
  /** Learned from a peer of our own domain (RFC 4271's IBGP). */
  readonly internal: boolean;
  /** Domains, the nearest first, ours not among them. */
  readonly path: Words;
  readonly localPreference: number;
  readonly tags: Words;
  /** It tells the paths' routes at least, and may come to tell less of the others (adj-rib-in/shed-leaves.ts). */
  readonly chunk: Chunk;
}

/** As they came, one object behind all routes of an announcement that share them; our own are none's but ours. */
export interface ReceivedAttributes extends Attributes {
  /** The paths of Adj-RIB-In that have them, which counts them there. */
  uses: number;
}

/** Why a path is not chosen from, and by what. Filtered paths are kept: a change of policy needs nothing sent again. */
export interface Filtered {
  readonly why: // In this order; the first that holds is told.
    | "expired" // the origin's signature
    | "old-epoch" // `by`: the origin's later incarnation
    | "path-too-long" // `by`: the limit. What is longer is kept cut off behind it
    | "loop" // `by`: our domain, which is in the path, or our node, which is the origin
    | "not-the-owner" // `by`: the owner
    | "import-policy" // `by`: the clause; "default" where none matched
    | "unowned" // nobody owns the name, and no clause lets those in
    | "damped";
  readonly by: string;
}

export interface Path {
  readonly name: RouteName;
  /** The digest that its origin signed with it. */
  readonly digest: string;
  /** What its origin promises of asking twice, signed as well. */
  readonly repeatable: Repeatable | undefined;
  /** As they came. */
  readonly received: ReceivedAttributes;
  /** As the import policy left them; the same object where it changed nothing. */
  readonly attributes: Attributes;
  readonly filtered: Filtered | undefined;
  /** RFC 4724 §4.2: kept until the peer's table is here again. The only field that changes, and in Adj-RIB-In alone. */
  readonly stale: boolean;
}

/** What became of the best path of a name: what the executor looks up, and what peers are told. */
export interface BestChange {
  readonly name: RouteName;
  readonly before: Path | undefined;
  readonly now: Path | undefined;
}
