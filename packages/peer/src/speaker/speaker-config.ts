// The configuration of a speaker. The node's key stays behind functions, and secrets in `PeerConfig.secrets`: neither is ever in a
// session, message, event or reason.

import type { PeerLimits } from "../limits/route-limit.ts";
import type { Owner, RoutePolicy } from "../policy/route-policy.ts";
import type { DomainId, NodeId } from "../wire/names.ts";

export type { At } from "../rib/config.ts";

/** The configuration of a speaker. */
export interface SpeakerConfig {
  readonly node: NodeId;
  /** A name for people to read. */
  readonly name: string;
  /** The domain of its administration. By default the node's own id, so that each unconfigured node is a domain of its own. */
  readonly domain: DomainId;
  /** The node's ed25519 public key, base64url. */
  readonly key: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** The number of this start: higher than that of any earlier one. */
  readonly epoch: number;
  /** The node ran before, and peers may hold its routes as stale: end-of-table waits for the peers' tables (RFC 4724 §4.1, deferral.ts). */
  readonly restarting: boolean;
  readonly owners: readonly Owner[];
  readonly timing: SpeakerTiming;
  /** The most routes that are signed together, and that one update carries (at most 1024). */
  readonly chunkSize: number;
  readonly updateRoutes: number;
  /** A random number in [0, 1). */
  readonly random: () => number;
  /** 32 fresh random bytes, base64url. */
  readonly nonce: () => string;
  /** Whether that key (base64url) signed those bytes: `verifySignature`, or a caching form of it. */
  readonly verify: (publicKey: string, bytes: Uint8Array, signature: string) => boolean;
}

/** Times in milliseconds, except where seconds are named. */
export interface SpeakerTiming {
  readonly holdTime: number;
  readonly minHoldTime: number;
  readonly connectTime: number;
  readonly openTime: number;
  readonly backoff: { readonly first: number; readonly last: number };
  /** How long peers are asked to keep our routes after we are gone (RFC 4724's Restart Time); 0: not at all. */
  readonly restartTime: number;
  /** How long a restarted node waits for its peers' tables (RFC 4724 §4.1's Selection_Deferral_Timer). */
  readonly deferral: number;
  /** Between two updates to one peer (RFC 4271 §9.2.1.1), so that changes that come together are sent together. */
  readonly advertisementInterval: number;
  /** How far clocks may differ, in seconds. */
  readonly tolerance: number;
  /** For how many seconds our signatures are valid (they are renewed at half of it); and the longest accepted of others. */
  readonly lifetime: number;
  readonly maxLifetime: number;
  /** How long routes of an origin's earlier epoch stay once a later one is known. */
  readonly epochGrace: number;
}

/** One configured peer. */
export interface PeerConfig {
  readonly node: NodeId;
  /** The peer's pinned public keys, base64url: the current one, and the next during a rotation. */
  readonly keys: readonly string[];
  /** The peer's domain. `undefined`: any that it names, except ours. */
  readonly domain: DomainId | undefined;
  /** The pair's shared secrets, of 32 bytes or more: the current one, and the next during a rotation. */
  readonly secrets: readonly Uint8Array[];
  /** Where to dial it; `undefined`: it dials us. */
  readonly address: string | undefined;
  readonly import: RoutePolicy;
  readonly export: RoutePolicy;
  readonly limits: PeerLimits;
  /** Names of capabilities without which there is no session. */
  readonly required: readonly string[];
}
