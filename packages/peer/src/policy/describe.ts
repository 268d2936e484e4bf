// A clause in one line of text, so that a filtered route can be explained.

import type { RouteClause } from "./route-policy.ts";

/** How many members of a list are named; the others are counted. */
const TOLD = 3;

/** Such as `reject action:secret.*` or `accept action:* tagged gold; localPreference 200`. */
export function describeClause({ then, match = {}, set = {}, unowned }: RouteClause): string {
  const asked = [match.routes === undefined ? "everything" : list(match.routes)];
  if (match.origins !== undefined) asked.push(`of ${list(match.origins)}`);
  if (match.originDomains !== undefined) asked.push(`of domain ${list(match.originDomains)}`);
  if (match.through !== undefined) asked.push(`through ${list(match.through)}`);
  if (match.maxPathLength !== undefined) asked.push(`over at most ${match.maxPathLength} domains`);
  if (match.tags !== undefined) asked.push(`tagged ${list(match.tags)}`);
  if (match.learnedFrom !== undefined) asked.push(`learned from ${list(match.learnedFrom)}`);
  if (unowned === true) asked.push("even if nobody owns it");
  const done = [`${then} ${asked.join(" ")}`];
  if (set.localPreference !== undefined) done.push(`localPreference ${set.localPreference}`);
  if (set.prepend !== undefined) done.push(`prepend ${set.prepend}`);
  if (set.removeTags !== undefined) done.push(`without ${list(set.removeTags)}`);
  if (set.addTags !== undefined) done.push(`tagged ${list(set.addTags)}`);
  return done.join("; ");
}

function list(words: readonly string[]): string {
  const told = words.slice(0, TOLD).join(", ");
  return words.length > TOLD ? `${told} and ${words.length - TOLD} more` : told;
}
