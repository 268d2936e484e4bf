// What a run leaves for a judge that knows nothing of this package: what is so (World), from the script and from the wire
// alone, and what the nodes believe (Observed). Plain JSON with forms of its own; nothing here is imported from the protocol.

/** What is so when all is quiet. Taken from the script and from what crossed the wire, never from a node's tables. */
export interface World {
  readonly seed: number;
  /** Seconds that clocks may be apart: a signature counts until `expires + tolerance` of the judge's own wall clock. */
  readonly tolerance: number;
  /** Of a path whose import clause sets none, and which comes from another domain. */
  readonly defaultLocalPreference: number;
  readonly nodes: readonly WorldNode[];
  /** Patterns as `action:n3.*`. A name may have several owners; every name that is honestly originated has one. */
  readonly owners: readonly { readonly routes: readonly string[]; readonly node: string }[];
  /** Pairs that must be established: both up, both configured, nothing in between; liars included, as far as they can. */
  readonly sessions: readonly (readonly [string, string])[];
  /** What `node` lets in from `peer`, and out to it. Of honest nodes, for all peers that they are configured with. */
  readonly policies: readonly WorldPolicy[];
  /** All that liars announce at the end, over each connection that stands: their honest words too. */
  readonly lies: readonly WorldLies[];
}

export interface WorldNode {
  readonly id: string;
  readonly domain: string;
  readonly up: boolean;
  /** Of its last incarnation. */
  readonly epoch: number;
  /** Its own wall clock at the end, in seconds. */
  readonly wall: number;
  /** What it originates; of liars too, as far as it is theirs and honestly told. Empty when it is down. */
  readonly routes: readonly { readonly name: string; readonly digest: string }[];
  readonly liar: boolean;
  /** Domains in a path, at most, that it takes of anybody. */
  readonly pathLength: number;
}

export interface WorldPolicy {
  readonly node: string;
  readonly peer: string;
  readonly import: WorldRoutePolicy;
  readonly export: WorldRoutePolicy;
}

/** As policy/route-policy.ts has it, written again: the first clause that matches decides; none: all inside a domain, else nothing. */
export interface WorldRoutePolicy {
  readonly clauses: readonly WorldClause[];
}

export interface WorldClause {
  readonly name: string;
  readonly then: "accept" | "reject";
  readonly match?: {
    readonly routes?: readonly string[];
    readonly origins?: readonly string[];
    readonly originDomains?: readonly string[];
    readonly through?: readonly string[];
    readonly maxPathLength?: number;
    readonly tags?: readonly string[];
    readonly learnedFrom?: readonly string[];
  };
  readonly set?: {
    readonly localPreference?: number;
    readonly prepend?: number;
    readonly addTags?: readonly string[];
    readonly removeTags?: readonly string[];
  };
  readonly unowned?: boolean;
}

export interface WorldLies {
  readonly from: string;
  /** An honest node. */
  readonly to: string;
  readonly routes: readonly Lie[];
}

/**
 * What stands at the end of what a liar announced over one connection, by name. Well-formed announcements alone: whatever is
 * malformed counts as withdrawn (RFC 7606). It may still begin with another domain than the liar's, end with another than
 * the origin's, be too long, or go through the receiver's: none of which may be chosen from.
 */
export interface Lie {
  readonly name: string;
  readonly digest: string;
  readonly path: readonly string[];
  readonly tags: readonly string[];
  readonly localPreference?: number;
  readonly origin: string;
  readonly originDomain: string;
  /**
   * Old ones count as long as the receiver knows of no later: where nothing that it holds is of a later one, it may have been
   * told of it (and refuses), or not (and takes it). Both are right.
   */
  readonly epoch: number;
  readonly expires: number;
  /** The signature holds for exactly this chunk and is by a key that really is that origin's now. */
  readonly genuine: boolean;
}

/** What an honest node that is up believes. Names and peers in code unit order. */
export interface ObservedNode {
  readonly node: string;
  /** Peers it is established with. */
  readonly sessions: readonly string[];
  /** Adj-RIB-In, filtered paths included. */
  readonly in: readonly ObservedIn[];
  /** Loc-RIB. */
  readonly best: readonly ObservedBest[];
  /** Adj-RIB-Out. */
  readonly out: readonly ObservedOut[];
}

export interface ObservedIn {
  readonly peer: string;
  readonly name: string;
  readonly digest: string;
  /** As it came. */
  readonly path: readonly string[];
  readonly origin: string;
  readonly originDomain: string;
  readonly epoch: number;
  /** As the import policy left them. */
  readonly localPreference: number;
  readonly tags: readonly string[];
  /** Why it is not chosen from; absent where it is. */
  readonly filtered?: string;
  readonly stale: boolean;
}

export interface ObservedBest {
  readonly name: string;
  readonly digest: string;
  readonly peer: string | "self";
  readonly origin: string;
  readonly epoch: number;
  readonly path: readonly string[];
}

export interface ObservedOut {
  readonly peer: string;
  readonly name: string;
  readonly digest: string;
  /** As announced: with our own domain before it, towards another. */
  readonly path: readonly string[];
  readonly origin: string;
  readonly epoch: number;
  readonly localPreference?: number;
  readonly tags: readonly string[];
}

export type Observed = readonly ObservedNode[];
