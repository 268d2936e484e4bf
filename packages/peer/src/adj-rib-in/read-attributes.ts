// What an announcement says of its routes beside their names, as the session that it came over lets it be read.

import type { Chunk } from "../origin/chunk.ts";
import { type Attributes, DEFAULT_PREFERENCE, type ReceivedAttributes } from "../rib/path.ts";
import type { Announcement, Apart, OriginClaim } from "../wire/message.ts";
import type { DomainId, NodeId } from "../wire/names.ts";

/** The peer that it came from. */
export interface Announcer {
  readonly node: NodeId;
  readonly domain: DomainId;
  readonly internal: boolean;
  /** Domains in a path, at most. */
  readonly pathLength: number;
}

const NO_TAGS: readonly string[] = [];

/** What is wrong with a path of an announcement's, if anything (RFC 4271 §6.3, treated as RFC 7606 §7.2 has it). */
export function coursesFault({ path, apart = [], origin }: Announcement, announcer: Announcer): string | undefined {
  let fault = pathFault(path, origin, announcer);
  for (let index = 0; index < apart.length && fault === undefined; index++) {
    const own = apart[index]?.path;
    if (own !== undefined) fault = pathFault(own, origin, announcer);
  }
  return fault;
}

function pathFault(path: readonly DomainId[], origin: OriginClaim, announcer: Announcer): string | undefined {
  const { node, domain, internal } = announcer;
  const [nearest] = path;
  if (nearest === undefined) {
    // RFC 4271 §5.1.2 b: empty inside the origin's own domain alone.
    if (!internal) return `${node} is of ${domain}, which is not in the path`;
    return origin.domain === domain ? undefined : `an empty path, and ${origin.node} is of ${origin.domain}`;
  }
  if (!internal && nearest !== domain) return `${node} is of ${domain}, and the path begins with ${nearest}`;
  const last = path.at(-1);
  return last === origin.domain ? undefined : `the path ends in ${last}, and ${origin.node} is of ${origin.domain}`;
}

export function readAttributes(announcement: Announcement, chunk: Chunk, announcer: Announcer): ReceivedAttributes {
  const { path, tags, localPreference } = announcement;
  const { node, internal, pathLength } = announcer;
  return {
    peer: node,
    internal,
    path: cut(path, pathLength),
    // RFC 4271 §5.1.5: of another domain it is ignored.
    localPreference: internal ? (localPreference ?? DEFAULT_PREFERENCE) : DEFAULT_PREFERENCE,
    tags: tags === undefined || tags.length === 0 ? NO_TAGS : tags,
    chunk,
    uses: 0,
  };
}

/** Those of single routes, beside those of the others that were announced with them. */
export function readApart(apart: Apart, others: Attributes, { pathLength }: Announcer): ReceivedAttributes {
  const { path, tags, localPreference } = apart;
  const { peer, internal, chunk } = others;
  return {
    peer,
    internal,
    path: path === undefined ? others.path : cut(path, pathLength),
    localPreference: internal ? (localPreference ?? others.localPreference) : DEFAULT_PREFERENCE,
    tags: tags === undefined ? others.tags : tags.length === 0 ? NO_TAGS : tags,
    chunk,
    uses: 0,
  };
}

/** What is longer is filtered for it, and need not be kept to its end. */
function cut(path: readonly DomainId[], length: number): readonly DomainId[] {
  return path.length > length ? path.slice(0, length + 1) : path;
}
