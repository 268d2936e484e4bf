// A run as JSON: who is there, how they are connected, what happens when. Every event is complete in itself (what begins also
// says when it ends), so that a script from which events, links or nodes are taken is a script still.

import type { Damping, RouteLimit } from "../../limits/route-limit.ts";
import type { Owner, RouteClause } from "../../policy/route-policy.ts";
import type { SpeakerTiming } from "../../speaker/speaker-config.ts";
import type { Leaf } from "../../wire/message.ts";
import type { LieKind } from "../liar/lies.ts";
import type { CutKind } from "../link.ts";

/** Times are in milliseconds since the run begins. */
export interface Script {
  readonly seed: number;
  readonly timing: SpeakerTiming;
  readonly damping: Damping | undefined;
  readonly nodes: readonly ScriptNode[];
  readonly links: readonly ScriptLink[];
  /** Keys are the simulator's. A name without an owner is nobody's to originate. */
  readonly owners: readonly Omit<Owner, "keys">[];
  readonly events: readonly ScriptEvent[];
  /** From here on nothing new goes wrong. */
  readonly quietAt: number;
}

export interface ScriptNode {
  readonly id: string;
  readonly domain: string;
  /** What it offers from its start. */
  readonly routes: readonly Leaf[];
  readonly startAt: number;
  /** Seconds that its wall clock is ahead, and parts per million that its clocks are too fast. */
  readonly skew: number;
  readonly drift: number;
  readonly pathLength: number;
  readonly chunkSize: number;
  readonly updateRoutes: number;
  readonly liar: boolean;
}

/** What `b` is to `a` (Gao and Rexford, 2001): inside a domain, a peer, or the one that is paid. */
export type Relation = "internal" | "peer" | "provider";

export interface ScriptLink {
  readonly a: string;
  readonly b: string;
  readonly relation: Relation;
  readonly dials: "a" | "b" | "both";
  readonly delay: number;
  readonly jitter: number;
  readonly filters: readonly Filter[];
  /** Neither end is told the other's domain beforehand. */
  readonly anyDomain?: boolean;
}

/** A clause that comes before those that the relation asks for. */
export interface Filter {
  readonly node: string;
  readonly direction: "import" | "export";
  readonly clause: RouteClause;
}

export type ScriptEvent = {
  readonly at: number;
} /** Without `until` it stays dead. `dark`: its machine is gone too, and answers nobody. */ & (
  | { readonly type: "crash"; readonly node: string; readonly dark: boolean; readonly until?: number }
  /** It says that it comes back. */
  | { readonly type: "planned-restart"; readonly node: string; readonly until: number }
  | { readonly type: "cut"; readonly a: string; readonly b: string; readonly kind: CutKind; readonly until?: number }
  /** Those nodes, from all others. */
  | { readonly type: "partition"; readonly nodes: readonly string[]; readonly kind: CutKind; readonly until: number }
  /** Probabilities for each frame on those links. */
  | {
      readonly type: "noise";
      readonly links: readonly (readonly [string, string])[];
      readonly loss: number;
      readonly reorder: number;
      readonly duplicate: number;
      readonly until: number;
    }
  | {
      readonly type: "originate";
      readonly node: string;
      readonly announce: readonly Leaf[];
      readonly withdraw: readonly string[];
    }
  /** A route that comes and goes, twice in each `period`. It is there at the end. */
  | {
      readonly type: "flap";
      readonly node: string;
      readonly route: Leaf;
      readonly period: number;
      readonly until: number;
    }
  /** Changed while sessions stand: a soft reset. */
  | {
      readonly type: "filter";
      readonly node: string;
      readonly peer: string;
      readonly direction: Filter["direction"];
      readonly clause: RouteClause;
      readonly until?: number;
    }
  | {
      readonly type: "limit";
      readonly node: string;
      readonly peer: string;
      readonly limit: RouteLimit;
      readonly until: number;
    }
  | { readonly type: "stop-peer"; readonly node: string; readonly peer: string; readonly until?: number }
  | { readonly type: "remove-peer"; readonly node: string; readonly peer: string; readonly until?: number }
  | { readonly type: "refresh-peer"; readonly node: string; readonly peer: string }
  /** Another key of its identity: known to all beside the old one, then used from a restart on, then alone. */
  | { readonly type: "rotate-key"; readonly node: string; readonly useAt: number; readonly until: number }
  /** Another secret of a pair: first one has it beside the old one, then the other, then both have it alone. */
  | { readonly type: "rotate-secret"; readonly a: string; readonly b: string; readonly until: number }
  /** Its wall clock is set. */
  | { readonly type: "skew"; readonly node: string; readonly seconds: number }
  /** A liar changes what it says. */
  | { readonly type: "lie"; readonly node: string; readonly kinds: readonly LieKind[] }
  /** A liar sends that as a frame. */
  | { readonly type: "babble"; readonly node: string; readonly text: string }
  /** A liar claims to be somebody else in its offers. */
  | { readonly type: "impersonate"; readonly node: string; readonly victim: string; readonly until?: number }
);
