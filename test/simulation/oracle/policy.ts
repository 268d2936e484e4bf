// Route policies, read as they are written down: for each route from the first clause on. Slow, and obvious.

import type { Clause, Policy } from "./world.ts";

/** What a clause asks about. */
export interface Asked {
  readonly name: string;
  readonly origin: string;
  readonly originDomain: string;
  readonly path: readonly string[];
  readonly tags: readonly string[];
  /** A node, or "self". */
  readonly learnedFrom: string;
}

export interface Answer {
  readonly accepted: boolean;
  readonly clause: Clause | undefined;
}

/** Where no clause matches: inside a domain everything passes, between domains nothing (RFC 8212). */
export function ask(policy: Policy, internal: boolean, asked: Asked): Answer {
  const clause = policy.clauses.find(({ match }) => match === undefined || matches(match, asked));
  return { accepted: clause === undefined ? internal : clause.then === "accept", clause };
}

function matches(match: NonNullable<Clause["match"]>, asked: Asked): boolean {
  const { routes, origins, originDomains, through, maxPathLength, tags, learnedFrom } = match;
  if (routes !== undefined && !routes.some((pattern) => fits(pattern, asked.name))) return false;
  if (origins !== undefined && !origins.includes(asked.origin)) return false;
  if (originDomains !== undefined && !originDomains.includes(asked.originDomain)) return false;
  if (through !== undefined && !through.some((domain) => asked.path.includes(domain))) return false;
  if (maxPathLength !== undefined && asked.path.length > maxPathLength) return false;
  if (tags !== undefined && !tags.some((tag) => asked.tags.includes(tag))) return false;
  if (learnedFrom !== undefined && !learnedFrom.includes(asked.learnedFrom)) return false;
  return true;
}

/** A star at the end stands for anything. */
export function fits(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Tags as the clause leaves them, sorted: they are a set. */
export function retagged(tags: readonly string[], clause: Clause | undefined): readonly string[] {
  const { removeTags = [], addTags = [] } = clause?.set ?? {};
  if (removeTags.length === 0 && addTags.length === 0) return tags;
  return [...new Set([...tags.filter((tag) => !removeTags.includes(tag)), ...addTags])].sort();
}
