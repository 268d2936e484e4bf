// Reads the attributes of an announcement's routes, by the rules of the session that it came over (internal or external).

import type { Chunk } from "../origin/chunk.ts";
import { type Attributes, DEFAULT_PREFERENCE, type ReceivedAttributes } from "../rib/path.ts";
import type { Announcement, Apart, OriginClaim } from "../wire/message.ts";
import type { DomainId, NodeId } from "../wire/names.ts";
import { beginsWith, endsWith, firstWords, listOf, type Words } from "../wire/words.ts";

/** The peer that sent the announcement. */
export interface Announcer {
  readonly node: NodeId;
  readonly domain: DomainId;
  readonly internal: boolean;
  /** The most domains in a path. */
  readonly pathLength: number;
}

/** The first fault of the announcement's paths, if any (RFC 4271 §6.3, handled as in RFC 7606 §7.2). */
export function coursesFault({ path, apart, origin }: Announcement, announcer: Announcer): string | undefined {
  let fault = pathFault(path, origin, announcer);
  if (apart?.path === undefined) return fault;
  for (let index = 0; index < apart.path.length && fault === undefined; index++) {
    const own = apart.path[index] ?? null;
    if (own !== null) fault = pathFault(own, origin, announcer);
  }
  return fault;
}

function pathFault(path: Words, origin: OriginClaim, announcer: Announcer): string | undefined {
  const { node, domain, internal } = announcer;
  if (path === "") {
    // RFC 4271 §5.1.2 b: a path is empty only inside the origin's own domain.
    if (!internal) return `${node} is of ${domain}, which is not in the path`;
    return origin.domain === domain ? undefined : `an empty path, and ${origin.node} is of ${origin.domain}`;
  }
  if (!internal && !beginsWith(path, domain))
    return `${node} is of ${domain}, and the path begins with ${listOf(path)[0]}`;
  if (endsWith(path, origin.domain)) return undefined;
  return `the path ends in ${listOf(path).at(-1)}, and ${origin.node} is of ${origin.domain}`;
}

export function readAttributes(announcement: Announcement, chunk: Chunk, announcer: Announcer): ReceivedAttributes {
  const { path, tags, localPreference } = announcement;
  const { node, internal, pathLength } = announcer;
  return {
    peer: node,
    internal,
    // A longer path will be filtered for its length, so its rest is not stored.
    path: firstWords(path, pathLength + 1),
    // RFC 4271 §5.1.5: ignored from another domain.
    localPreference: internal ? (localPreference ?? DEFAULT_PREFERENCE) : DEFAULT_PREFERENCE,
    tags: tags ?? "",
    chunk,
    uses: 0,
  };
}

/** The attributes of an entry of `apart`: its own, and the announcement's shared ones (`others`) for the rest. */
export function readApart(
  apart: Apart,
  entry: number,
  others: Attributes,
  { pathLength }: Announcer,
): ReceivedAttributes {
  const path = apart.path?.[entry] ?? null;
  const localPreference = apart.localPreference?.[entry] ?? null;
  const tags = apart.tags?.[entry] ?? null;
  const { peer, internal, chunk } = others;
  return {
    peer,
    internal,
    path: path === null ? others.path : firstWords(path, pathLength + 1),
    localPreference: internal ? (localPreference ?? others.localPreference) : DEFAULT_PREFERENCE,
    tags: tags ?? others.tags,
    chunk,
    uses: 0,
  };
}
