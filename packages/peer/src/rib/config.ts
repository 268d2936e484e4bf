// The inputs of a RIB: its own and its peers' configuration, and the time. All are plain values.

import type { PeerLimits } from "../limits/route-limit.ts";
import type { Owner, RoutePolicy } from "../policy/route-policy.ts";
import type { DomainId, NodeId } from "../wire/names.ts";

/** Both clocks at the same moment: deadlines use the monotonic one, the expiry of signatures the wall clock. */
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
  /** How far clocks of nodes may differ, in seconds. */
  readonly tolerance: number;
  /** The longest accepted validity of an origin's signature, in seconds. */
  readonly maxLifetime: number;
  /** How long paths of an origin's earlier epoch stay once a later one was seen, in milliseconds. */
  readonly epochGrace: number;
  readonly verify: (publicKey: string, bytes: Uint8Array, signature: string) => boolean;
}

export interface RibPeer {
  readonly node: NodeId;
  /** If it is our own domain, the peer is internal (RFC 4271's IBGP). */
  readonly domain: DomainId;
  /** Pinned public keys in base64url; they identify the peer's own routes. */
  readonly keys: readonly string[];
  readonly import: RoutePolicy;
  readonly export: RoutePolicy;
  readonly limits: PeerLimits;
}
