// What a RIB is told from outside: of itself, of its peers, and what time it is. All of it plain values.

import type { PeerLimits } from "../limits/route-limit.ts";
import type { Owner, RoutePolicy } from "../policy/route-policy.ts";
import type { DomainId, NodeId } from "../wire/names.ts";

/** Both clocks at the same moment. Deadlines are on the first; the second is what origins' signatures expire by. */
export interface At {
  /** Monotonic, milliseconds. */
  readonly now: number;
  /** Seconds since 1970. */
  readonly wall: number;
}

export interface RibConfig {
  readonly node: NodeId;
  readonly domain: DomainId;
  readonly owners: readonly Owner[];
  /** How far clocks may be apart, in seconds. */
  readonly tolerance: number;
  /** How far ahead an origin may let its signature expire, in seconds. */
  readonly maxLifetime: number;
  /** How long paths of an origin's earlier incarnation stay once a later one was seen, in milliseconds. */
  readonly epochGrace: number;
  readonly verify: (publicKey: string, bytes: Uint8Array, signature: string) => boolean;
}

export interface RibPeer {
  readonly node: NodeId;
  /** Ours: an internal peer (RFC 4271's IBGP). */
  readonly domain: DomainId;
  /** Pinned, base64url: its own routes are known by them. */
  readonly keys: readonly string[];
  readonly import: RoutePolicy;
  readonly export: RoutePolicy;
  readonly limits: PeerLimits;
}
