// What an announcement says of its routes beside their names, as the session that it came over lets it be read.

import type { Chunk } from "../origin/chunk.ts";
import { type Attributes, DEFAULT_PREFERENCE } from "../rib/path.ts";
import type { Announcement } from "../wire/message.ts";
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

/** What is wrong with an announcement's path, if anything (RFC 4271 §6.3, treated as RFC 7606 §7.2 has it). */
export function pathFault({ path, origin }: Announcement, announcer: Announcer): string | undefined {
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

export function readAttributes(announcement: Announcement, chunk: Chunk, announcer: Announcer): Attributes {
  const { path, tags, localPreference } = announcement;
  const { node, internal, pathLength } = announcer;
  return {
    peer: node,
    internal,
    // What is longer is filtered for it, and need not be kept to its end.
    path: path.length > pathLength ? path.slice(0, pathLength + 1) : path,
    // RFC 4271 §5.1.5: of another domain it is ignored.
    localPreference: internal ? (localPreference ?? DEFAULT_PREFERENCE) : DEFAULT_PREFERENCE,
    tags: tags === undefined || tags.length === 0 ? NO_TAGS : tags,
    chunk,
  };
}
