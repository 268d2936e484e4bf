// What an accepting clause changes on a route's attributes. Gives the same object where it changes nothing, so that callers can
// keep one object for many paths.

import type { DomainId } from "../wire/names.ts";
import type { RouteClause } from "./route-policy.ts";

interface Settable {
  readonly path: readonly DomainId[];
  readonly localPreference: number;
  readonly tags: readonly string[];
}

/** Tags of an announcement, at most (wire/message.ts). */
const MAX_TAGS = 32;

/**
 * `prepended` is our own domain where the route goes to another one; elsewhere `prepend` does nothing, because inside a domain
 * our own domain in a path is a loop (RFC 4271 §5.1.2: the path changes at a border alone).
 */
export function applySet<A extends Settable>(attributes: A, clause: RouteClause | undefined, prepended?: DomainId): A {
  const set = clause?.set;
  if (set === undefined) return attributes;
  const localPreference = set.localPreference ?? attributes.localPreference;
  const tags = setTags(attributes.tags, set);
  const times = prepended === undefined ? 0 : (set.prepend ?? 0);
  if (localPreference === attributes.localPreference && tags === attributes.tags && times === 0) return attributes;
  const path =
    prepended === undefined || times === 0 ? attributes.path : [...Array(times).fill(prepended), ...attributes.path];
  return { ...attributes, localPreference, tags, path };
}

/** Removed first, then added: a clause that does both with one tag leaves it. Where there are too many, ours stay. */
function setTags(tags: readonly string[], set: NonNullable<RouteClause["set"]>): readonly string[] {
  const { addTags = [], removeTags = [] } = set;
  const kept = tags.filter((tag) => !removeTags.includes(tag));
  const added = addTags.filter((tag, at) => !kept.includes(tag) && addTags.indexOf(tag) === at);
  if (kept.length === tags.length && added.length === 0) return tags;
  return [...kept.slice(0, Math.max(0, MAX_TAGS - added.length)), ...added].slice(0, MAX_TAGS);
}
