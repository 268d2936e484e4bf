// What the oracle is given, in words of its own: what is so, and what the nodes believe. The simulator's World and Observed
// have this form (docs/peering-simulation.md); nothing in this folder may import anything of packages/peer, not even a type.

export interface World {
  /** Seconds: a signature counts until `expires + tolerance` of the judge's own wall clock. */
  readonly tolerance: number;
  /** Seconds: what promises to be good for longer is not believed. */
  readonly maxLifetime: number;
  readonly defaultLocalPreference: number;
  readonly nodes: readonly Node[];
  readonly owners: readonly { readonly routes: readonly string[]; readonly node: string }[];
  /** Pairs that must be established. */
  readonly sessions: readonly (readonly [string, string])[];
  readonly policies: readonly NodePolicies[];
  /** All that liars announce at the end, their honest words too. */
  readonly lies: readonly Lies[];
}

export interface Node {
  readonly id: string;
  readonly domain: string;
  readonly up: boolean;
  /** Of its last incarnation. */
  readonly epoch: number;
  /** Its own wall clock, in seconds. */
  readonly wall: number;
  readonly routes: readonly { readonly name: string; readonly digest: string }[];
  readonly liar: boolean;
  /** Domains in a path, at most. */
  readonly pathLength: number;
}

export interface NodePolicies {
  readonly node: string;
  readonly peer: string;
  readonly import: Policy;
  readonly export: Policy;
}

/** The first clause that matches decides. */
export interface Policy {
  readonly clauses: readonly Clause[];
}

export interface Clause {
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

export interface Lies {
  readonly from: string;
  readonly to: string;
  readonly routes: readonly Lie[];
}

export interface Lie {
  readonly name: string;
  readonly digest: string;
  readonly path: readonly string[];
  readonly tags: readonly string[];
  readonly localPreference?: number;
  readonly origin: string;
  readonly originDomain: string;
  readonly epoch: number;
  readonly expires: number;
  /** Signed as it stands, by a key that really is that origin's. */
  readonly genuine: boolean;
}

/** What an honest node that is up believes. */
export interface ObservedNode {
  readonly node: string;
  readonly sessions: readonly string[];
  /** Adj-RIB-In, with what is filtered. */
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
  readonly path: readonly string[];
  readonly origin: string;
  readonly originDomain: string;
  readonly epoch: number;
  readonly localPreference: number;
  readonly tags: readonly string[];
  readonly filtered?: string;
  readonly stale: boolean;
}

export interface ObservedBest {
  readonly name: string;
  readonly digest: string;
  /** A node, or "self". */
  readonly peer: string;
  readonly origin: string;
  readonly epoch: number;
  readonly path: readonly string[];
}

export interface ObservedOut {
  readonly peer: string;
  readonly name: string;
  readonly digest: string;
  readonly path: readonly string[];
  readonly origin: string;
  readonly epoch: number;
  readonly localPreference?: number;
  readonly tags: readonly string[];
}

export type Observed = readonly ObservedNode[];
