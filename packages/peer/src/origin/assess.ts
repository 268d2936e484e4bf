// What a chunk's origin is worth, now: RFC 6811's idea, validity beside preference, for names and keys instead of prefixes and
// domains. Asked anew whenever time, epochs or pins move; only the signature's verdict is for good (chunk-cache.ts).

import type { OriginClaim } from "../wire/message.ts";
import type { NodeId } from "../wire/names.ts";
import type { Chunk, OriginVerdict } from "./chunk.ts";
import { claimBytes } from "./claim-text.ts";

export interface Assessment {
  /** Seconds since 1970. */
  readonly wall: number;
  /** The keys that are pinned for a node; `undefined` or none: we know of none. */
  readonly keysOf: (node: NodeId) => readonly string[] | undefined;
  /**
   * The highest epoch that was verified of that origin. Of a key that is not pinned, only what that same key signed may count:
   * else anybody could void an origin by claiming a high epoch in its name.
   */
  readonly epochOf: (node: NodeId, key: string) => number | undefined;
  /** Seconds by which clocks may differ. */
  readonly tolerance: number;
  /** Seconds: no origin may promise for longer, so that what was lost or stolen ends. */
  readonly maxLifetime: number;
  readonly verify: (publicKey: string, bytes: Uint8Array, signature: string) => boolean;
}

/** Seconds since 1970 from which on a claim is void, by a clock that may be wrong by `tolerance`. */
export const voidFrom = (claim: OriginClaim, tolerance: number): number => claim.expires + tolerance;

export function assessChunk(chunk: Chunk, context: Assessment): OriginVerdict {
  const { claim } = chunk;
  const { wall, tolerance, maxLifetime } = context;
  const rejected = (why: Extract<OriginVerdict, { kind: "rejected" }>["why"], text: string): OriginVerdict => ({
    kind: "rejected",
    why,
    text: `${claim.node}: ${text}`,
  });
  // What is cheap first: a flood of stale chunks costs no signatures.
  if (wall >= voidFrom(claim, tolerance)) return rejected("expired", `expired ${wall - claim.expires} s ago`);
  if (claim.expires > wall + maxLifetime + tolerance) {
    return rejected("too-long", `expires in ${claim.expires - wall} s, and ${maxLifetime} s is the longest`);
  }
  const keys = context.keysOf(claim.node) ?? [];
  const pinned = keys.includes(claim.key);
  if (!pinned && keys.length > 0) return rejected("foreign-key", `signed by ${claim.key}, which is none of its keys`);
  const epoch = context.epochOf(claim.node, claim.key);
  if (epoch !== undefined && claim.epoch < epoch) {
    return rejected("old-epoch", `of epoch ${claim.epoch}, and it has started again since (${epoch})`);
  }
  if (!context.verify(claim.key, claimBytes(claim, chunk.root), claim.signature)) {
    return rejected("bad-signature", "the signature is not over these routes, or not by that key");
  }
  return { kind: pinned ? "pinned" : "unpinned" };
}
