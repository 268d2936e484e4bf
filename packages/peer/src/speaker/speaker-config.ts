// What a speaker is set up with. Secrets and the node's key are behind functions and in `secrets`; they are in no session,
// message, event or reason.

import type { PeerLimits } from "../limits/route-limit.ts";
import type { Owner, RoutePolicy } from "../policy/route-policy.ts";
import type { DomainId, NodeId } from "../wire/names.ts";

export type { At } from "../rib/config.ts";

export interface SpeakerConfig {
  readonly node: NodeId;
  /** For people. */
  readonly name: string;
  /** The administration's; by default the node's own id, so that unconfigured nodes are a domain each. */
  readonly domain: DomainId;
  /** The node's ed25519 public key, base64url. */
  readonly key: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** This incarnation's number: higher than that of any start before. */
  readonly epoch: number;
  /** It ran before, and peers may hold its routes as stale: end-of-table waits for what peers have (RFC 4724 §4.1). */
  readonly restarting: boolean;
  readonly owners: readonly Owner[];
  readonly timing: SpeakerTiming;
  /** Routes that are signed together, and that one update carries, at most; the latter never more than 1024. */
  readonly chunkSize: number;
  readonly updateRoutes: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** 32 fresh random bytes, base64url. */
  readonly nonce: () => string;
  /** Whether that key (base64url) signed those bytes; `verifySignature` of proof/, or one that remembers. */
  readonly verify: (publicKey: string, bytes: Uint8Array, signature: string) => boolean;
}

/** Milliseconds, where nothing else is said. */
export interface SpeakerTiming {
  readonly holdTime: number;
  readonly minHoldTime: number;
  readonly connectTime: number;
  readonly openTime: number;
  readonly backoff: { readonly first: number; readonly last: number };
  /** How long peers are asked to keep our routes when we are gone (RFC 4724's Restart Time). 0: not at all. */
  readonly restartTime: number;
  /** RFC 4724 §4.1's Selection_Deferral_Timer. */
  readonly deferral: number;
  /** Between two updates to one peer (RFC 4271 §9.2.1.1), so that what changes together is told together. */
  readonly advertisementInterval: number;
  /** Seconds that clocks may be apart. */
  readonly tolerance: number;
  /** Seconds that our signatures hold; they are renewed at half of it. And the longest that we believe of others. */
  readonly lifetime: number;
  readonly maxLifetime: number;
  /** How long routes of an origin's earlier incarnation stay once a later one is known. */
  readonly epochGrace: number;
}

/** One configured peer. */
export interface PeerConfig {
  readonly node: NodeId;
  /** Pinned: the current key, and the next while it is rotated. */
  readonly keys: readonly string[];
  /** `undefined`: another than ours, whichever it says. */
  readonly domain: DomainId | undefined;
  /** The pair's: current, and next while it is rotated; 32 bytes and more each. */
  readonly secrets: readonly Uint8Array[];
  /** Where to dial; `undefined`: it dials us. */
  readonly address: string | undefined;
  readonly import: RoutePolicy;
  readonly export: RoutePolicy;
  readonly limits: PeerLimits;
  /** Names of capabilities without which there is no session. */
  readonly required: readonly string[];
}
