// Applies the `set` of an accepting clause to a route's attributes. Answers the same object where nothing changes, so that many paths can
// share one.

import type { DomainId } from "../wire/names.ts";
import { joinWords, listOf, type Words, wordsOf } from "../wire/words.ts";
import type { RouteClause } from "./route-policy.ts";

interface Settable {
  readonly path: Words;
  readonly localPreference: number;
  readonly tags: Words;
}

/** Tags of an announcement, at most (wire/message.ts). */
const MAX_TAGS = 32;

/**
 * @param prepended our own domain, where the route leaves it; otherwise `prepend` does nothing, because inside a domain its own name in a
 * path is a loop (RFC 4271 §5.1.2: the path changes only at a border)
 */
export function applySet<A extends Settable>(attributes: A, clause: RouteClause | undefined, prepended?: DomainId): A {
  const set = clause?.set;
  if (set === undefined) return attributes;
  const localPreference = set.localPreference ?? attributes.localPreference;
  const tags = setTags(attributes.tags, set);
  const times = prepended === undefined ? 0 : (set.prepend ?? 0);
  if (localPreference === attributes.localPreference && tags === attributes.tags && times === 0) return attributes;
  const path =
    prepended === undefined || times === 0
      ? attributes.path
      : joinWords(wordsOf(Array(times).fill(prepended)), attributes.path);
  return { ...attributes, localPreference, tags, path };
}

/** Tags are removed first, then added: a clause that does both to a tag leaves it there. Beyond the limit the clause's own tags stay. */
function setTags(text: Words, set: NonNullable<RouteClause["set"]>): Words {
  const { addTags = [], removeTags = [] } = set;
  if (addTags.length + removeTags.length === 0) return text;
  const tags = listOf(text);
  const kept = tags.filter((tag) => !removeTags.includes(tag));
  const added = addTags.filter((tag, at) => !kept.includes(tag) && addTags.indexOf(tag) === at);
  if (kept.length === tags.length && added.length === 0) return text;
  return wordsOf([...kept.slice(0, Math.max(0, MAX_TAGS - added.length)), ...added].slice(0, MAX_TAGS));
}
