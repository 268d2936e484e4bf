// Whether a repeated announcement is the same as before: then nothing has changed, nothing is decided again, and nothing is sent.

import type { Chunk } from "../origin/chunk.ts";
import type { OriginClaim } from "../wire/message.ts";
import type { Attributes, Filtered } from "./path.ts";

/**
 * Whether two chunks were signed as one, even if they disclose different leaves. Not decided by the signature alone: with a deliberately
 * weak key, one signature can be valid for several texts.
 */
export const sameChunk = (a: Chunk, b: Chunk): boolean =>
  a === b || (a.claim.signature === b.claim.signature && a.root === b.root && sameClaim(a.claim, b.claim));

const sameClaim = (a: OriginClaim, b: OriginClaim): boolean =>
  a.node === b.node && a.epoch === b.epoch && a.expires === b.expires && a.key === b.key && a.domain === b.domain;

export function sameWords(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/** Compares all but the chunk: a renewed signature is no flap (RFC 2439 §4.8.4 is about attributes). */
export const sameCourse = (a: Attributes, b: Attributes): boolean =>
  a === b ||
  (a.localPreference === b.localPreference &&
    a.peer === b.peer &&
    a.internal === b.internal &&
    a.path === b.path &&
    a.tags === b.tags);

export const sameAttributes = (a: Attributes, b: Attributes): boolean =>
  sameChunk(a.chunk, b.chunk) && sameCourse(a, b);

export const sameFilter = (a: Filtered | undefined, b: Filtered | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.why === b.why && a.by === b.by);
