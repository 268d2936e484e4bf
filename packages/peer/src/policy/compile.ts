// Compiles a policy for many routes: one of ten thousand exact names costs one look-up a route. It decides exactly as the list of clauses
// does when read from the top (compile.test.ts compares the two).

import { hasMoreWords, listOf, type Words } from "../wire/words.ts";
import { PatternIndex } from "./pattern.ts";
import type { PolicyRoute, PolicyVerdict, RouteClause, RouteMatch, RoutePolicy } from "./route-policy.ts";

export interface PolicyPlace {
  readonly direction: "import" | "export";
  /** The peer is of our own domain. */
  readonly internal: boolean;
}

type Matcher = (route: PolicyRoute) => boolean;

/** Compiles a policy into a function that decides on a route. @param place the direction, and whether the peer is of our own domain */
export function compilePolicy(policy: RoutePolicy, place: PolicyPlace): (route: PolicyRoute) => PolicyVerdict {
  const { clauses } = policy;
  // RFC 8212 §3: without a policy that says otherwise, nothing crosses a border in either direction. Inside a domain everything does.
  const byDefault: PolicyVerdict = { accepted: place.internal, clause: undefined };
  const verdicts = clauses.map((clause): PolicyVerdict => ({ accepted: clause.then === "accept", clause }));
  const matchers = clauses.map(matcherOf);
  const byName = new PatternIndex<number>();
  const always: number[] = [];
  for (const [position, { match }] of clauses.entries()) {
    if (match?.routes === undefined) always.push(position);
    else for (const pattern of match.routes) byName.add(pattern, position);
  }

  const first = (positions: readonly number[], before: number, route: PolicyRoute): number => {
    for (const position of positions) {
      if (position >= before) return before;
      if (matchers[position]?.(route)) return position;
    }
    return before;
  };

  return (route) => {
    let decides = clauses.length;
    for (const positions of byName.find(route.name)) decides = first(positions, decides, route);
    decides = first(always, decides, route);
    return verdicts[decides] ?? byDefault;
  };
}

/** All that a clause asks beside the name. */
function matcherOf({ match }: RouteClause): Matcher {
  const asked = match === undefined ? [] : matchersOf(match);
  if (asked.length === 1) return asked[0] as Matcher;
  return (route) => {
    // A plain loop: it runs for every route of every table, and `every` would allocate a closure each time.
    for (let at = 0; at < asked.length; at++) if (!asked[at]?.(route)) return false;
    return true;
  };
}

function matchersOf(match: RouteMatch): Matcher[] {
  const asked: Matcher[] = [];
  const { maxPathLength } = match;
  if (match.origins !== undefined) {
    const origins = new Set(match.origins);
    asked.push((route) => origins.has(route.origin));
  }
  if (match.originDomains !== undefined) {
    const domains = new Set(match.originDomains);
    asked.push((route) => domains.has(route.originDomain));
  }
  if (match.through !== undefined) {
    const through = new Set(match.through);
    asked.push((route) => hasAny(route.path, through));
  }
  if (maxPathLength !== undefined) asked.push((route) => !hasMoreWords(route.path, maxPathLength));
  if (match.tags !== undefined) {
    const tags = new Set(match.tags);
    asked.push((route) => hasAny(route.tags, tags));
  }
  if (match.learnedFrom !== undefined) {
    const peers = new Set<string>(match.learnedFrom);
    asked.push((route) => peers.has(route.learnedFrom));
  }
  return asked;
}

const hasAny = (text: Words, of: ReadonlySet<string>): boolean => listOf(text).some((word) => of.has(word));
