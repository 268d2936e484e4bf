// Which of a name's paths is the best: RFC 4271 §9.1.2, with what names have instead of prefixes. Compares what paths
// are, and never when they came or where they stand, so that all nodes that know the same choose the same.

import type { Path } from "../rib/path.ts";
import { countWords } from "../wire/words.ts";

export interface Comparator {
  readonly name: string;
  /** Below zero: `a` is better. Zero: this comparator does not decide. */
  readonly compare: (a: Path, b: Path) => number;
}

/** Plain code units: the same on every machine, whatever its locale. */
const compareIds = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const own = (path: Path): number => (path.attributes.peer === undefined ? 0 : 1);
const fromInside = (path: Path): number => (path.attributes.internal ? 1 : 0);

/**
 * The decision, in its order: the first that tells two paths apart decides. All candidates are compared, stale ones as
 * equals.
 */
export const comparators: readonly Comparator[] = [
  {
    // What we are ourselves needs no peer. Whatever preference a policy gives to others, calls must not leave the node
    // and come back.
    name: "ownRouteFirst",
    compare: (a, b) => own(a) - own(b),
  },
  {
    // RFC 4271 §9.1.1: the operator's word, higher first. Whole domains agree on it, because it goes with the route
    // inside them.
    name: "localPreference",
    compare: (a, b) => b.attributes.localPreference - a.attributes.localPreference,
  },
  {
    // RFC 4271 §9.1.2.2 a: fewer domains to cross.
    name: "pathLength",
    compare: (a, b) => countWords(a.attributes.path) - countWords(b.attributes.path),
  },
  {
    // Ours, in the place of §9.1.2.2 b (ORIGIN): a name may have several owners, and then the lower node's id has it,
    // so that it does not move between them as news arrives.
    name: "origin",
    compare: (a, b) => compareIds(a.attributes.chunk.claim.node, b.attributes.chunk.claim.node),
  },
  {
    // RFC 4271 §9.1.2.2 d: out of the domain at once rather than through it. Without it two nodes of a domain could
    // each choose the other's path: an internal path is not announced inside again, and so both would lose it.
    name: "externalFirst",
    compare: (a, b) => fromInside(a) - fromInside(b),
  },
  {
    // RFC 4271 §9.1.2.2 f: the lower id of the peer. A peer has one path of a name, so that this always decides.
    name: "peerNode",
    compare: (a, b) => compareIds(a.attributes.peer ?? "", b.attributes.peer ?? ""),
  },
];

/** Below zero: `a` is better. Zero only for a path and itself. */
export function comparePaths(a: Path, b: Path): number {
  for (const { compare } of comparators) {
    const difference = compare(a, b);
    if (difference !== 0) return difference;
  }
  return 0;
}
