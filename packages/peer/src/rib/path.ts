// A path: one way to reach a name, announced by a peer or our own. Routes of one announcement share one attributes object
// and a path by itself has seven fields, so that a route costs a few hundred bytes.

import type { Chunk } from "../origin/chunk.ts";
import type { Repeatable } from "../wire/message.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import type { Words } from "../wire/words.ts";

/** The preference of our own routes, and of routes from other domains (RFC 4271 §5.1.5). */
export const DEFAULT_PREFERENCE = 100;

/** RFC 4271 §5's path attributes, and from which peer the routes came. */
export interface Attributes {
  /** The peer that announced them; `undefined` for our own. */
  readonly peer: NodeId | undefined;
  /** Learned from a peer of our own domain (RFC 4271's IBGP). */
  readonly internal: boolean;
  /** Domains, the nearest first, ours not among them. */
  readonly path: Words;
  readonly localPreference: number;
  readonly tags: Words;
  /** Discloses at least the paths' routes; others may be pruned later (adj-rib-in/shed-leaves.ts). */
  readonly chunk: Chunk;
}

/** Attributes as received: one object for all routes of an announcement that share them. */
export interface ReceivedAttributes extends Attributes {
  /** How many paths have them; Adj-RIB-In counts. */
  uses: number;
}

/** Why a path is not a candidate, and by what. Filtered paths are kept, so that after a change of policy nothing has to be sent again. */
export interface Filtered {
  readonly why: // In this order; the first that applies is the reason.
    | "expired" // the origin's signature
    | "old-epoch" // `by`: the origin's later incarnation
    | "path-too-long" // `by`: the limit. A longer path is stored truncated
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
  /** The origin's promise for repeated calls, signed as well. */
  readonly repeatable: Repeatable | undefined;
  /** The attributes as received. */
  readonly received: ReceivedAttributes;
  /** The attributes after the import policy; the same object where it changed nothing. */
  readonly attributes: Attributes;
  readonly filtered: Filtered | undefined;
  /** RFC 4724 §4.2: kept until the peer's table has come again. The only mutable field; only Adj-RIB-In changes it. */
  readonly stale: boolean;
}

/** A change of a name's best path: what calls are routed by, and what peers are sent. */
export interface BestChange {
  readonly name: RouteName;
  readonly before: Path | undefined;
  readonly now: Path | undefined;
}
