// One configured peer of a speaker: its configuration, its sessions (as a value), and the context in which they are stepped.

import { establishedSession, type Neighbor, neighborDeadline, newNeighbor } from "../neighbor/neighbor.ts";
import { createProver } from "../proof/create-prover.ts";
import type { Prover } from "../proof/prover.ts";
import type { RibPeer } from "../rib/config.ts";
import type { SessionContext } from "../session/context.ts";
import type { Agreed, SessionConfig } from "../session/session.ts";
import type { Capability } from "../wire/message.ts";
import type { DomainId } from "../wire/names.ts";
import { checkPeer } from "./check-config.ts";
import type { At, PeerConfig, SpeakerConfig } from "./speaker-config.ts";

export const GRACEFUL_RESTART = "graceful-restart";
export const ROUTE_REFRESH = "route-refresh";

/** What a new configuration means for the sessions with a peer. */
type Reconfigured =
  /** Nothing: only policies or limits changed, and those are the RIB's. */
  | "as it was"
  /** What kept it away may be gone: try at once. An established session stays, also under a secret or key that is being rotated out. */
  | "try again"
  /** The session must end: what it agreed on or proved is no longer valid. */
  | "anew";

export class Peering {
  config: PeerConfig;
  /** The next time at which its sessions need a tick. A field, because it is read after every input of any peer. */
  deadline = Number.POSITIVE_INFINITY;
  #neighbor: Neighbor = newNeighbor();
  /** What the established session agreed on; `undefined` where none is established. */
  agreed: Agreed | undefined;
  /** When routes were last sent to it, monotonic milliseconds. */
  sentAt = Number.NEGATIVE_INFINITY;
  /** When a message last came over its present or latest session. */
  heardAt = Number.NEGATIVE_INFINITY;
  /** Whether it has asked for the table again and not been sent it yet; and when it was last sent. */
  refreshOwed = false;
  refreshedAt = Number.NEGATIVE_INFINITY;
  /** The peer's key in the latest session: its stale routes and its epoch belong to that key. */
  #key: string | undefined;
  /** The highest epoch that the peer has proved. */
  #epoch: number | undefined;
  readonly #speaker: SpeakerConfig;
  #session: SessionConfig;
  #prover: Prover;
  /** The prover for the latest channel binding: making one derives the secrets' ids. */
  #bound: { readonly binding: string; readonly prover: Prover } | undefined;

  /** @throws Error where the configuration is invalid (check-config.ts) */
  constructor(config: PeerConfig, speaker: SpeakerConfig) {
    checkPeer(config, speaker.node);
    this.#prover = prover(config, speaker);
    this.config = config;
    this.#speaker = speaker;
    this.#session = this.#sessionConfig(false);
  }

  get neighbor(): Neighbor {
    return this.#neighbor;
  }

  set neighbor(neighbor: Neighbor) {
    this.#neighbor = neighbor;
    this.deadline = neighborDeadline(neighbor) ?? Number.POSITIVE_INFINITY;
  }

  /** @throws Error where the configuration is invalid; then nothing has changed */
  configure(config: PeerConfig): Reconfigured {
    checkPeer(config, this.#speaker.node);
    this.#prover = prover(config, this.#speaker);
    this.#bound = undefined;
    const before = this.config;
    this.config = config;
    this.#session = this.#sessionConfig(false);
    const stands =
      before.domain === config.domain &&
      (this.#key === undefined || config.keys.includes(this.#key)) &&
      config.required.every((name) => before.required.includes(name));
    if (!stands) return "anew";
    return sameAccess(before, config) ? "as it was" : "try again";
  }

  establish(agreed: Agreed, now: number): void {
    this.agreed = agreed;
    this.heardAt = now;
    this.sentAt = Number.NEGATIVE_INFINITY;
    this.refreshOwed = false;
    this.#key = establishedSession(this.neighbor)?.theirs?.key;
    this.#epoch = Math.max(agreed.epoch, this.#epoch ?? 0);
    this.#session = this.#sessionConfig(false);
  }

  /** Forgets the epoch that the peer proved. @returns whether there was one */
  forgetEpoch(): boolean {
    const known = this.#epoch !== undefined;
    this.#epoch = undefined;
    this.#session = this.#sessionConfig(false);
    return known;
  }

  /** The context of a step. `restarting`: whether this node tells the peer that it has restarted. */
  context(at: At, binding: string | undefined, restarting: boolean): SessionContext {
    const { random, nonce } = this.#speaker;
    const config = restarting ? this.#sessionConfig(true) : this.#session;
    const prover = binding === undefined ? this.#prover : this.#boundTo(binding);
    return { now: at.now, random, nonce, config, prover };
  }

  /** The peer as the RIB needs it. Its domain is the configured one, or the one that it has proved. */
  ribPeer(): RibPeer {
    const { node, keys, limits } = this.config;
    const domain: DomainId = this.config.domain ?? this.agreed?.domain ?? node;
    return { node, domain, keys, limits, import: this.config.import, export: this.config.export };
  }

  #sessionConfig(restarting: boolean): SessionConfig {
    const { node, name, domain, key, epoch, timing } = this.#speaker;
    const peer = { node: this.config.node, keys: this.config.keys, domain: this.config.domain };
    return {
      local: { node, name, domain, key, epoch },
      peer: this.#epoch === undefined ? peer : { ...peer, epoch: this.#epoch },
      passive: this.config.address === undefined,
      holdTime: timing.holdTime,
      minHoldTime: timing.minHoldTime,
      connectTime: timing.connectTime,
      openTime: timing.openTime,
      backoff: timing.backoff,
      capabilities: capabilities(timing.restartTime, restarting),
      required: this.config.required,
    };
  }

  #boundTo(binding: string): Prover {
    if (this.#bound?.binding !== binding) {
      this.#bound = { binding, prover: prover(this.config, this.#speaker, binding) };
    }
    return this.#bound.prover;
  }
}

function prover({ secrets, keys }: PeerConfig, { sign }: SpeakerConfig, channelBinding?: string): Prover {
  return createProver({ secrets, keys, sign, ...(channelBinding !== undefined && { channelBinding }) });
}

/** Whether the settings that decide if a session can come up are unchanged. */
function sameAccess(a: PeerConfig, b: PeerConfig): boolean {
  const same = (one: readonly string[], other: readonly string[]): boolean =>
    one.length === other.length && one.every((text, index) => text === other[index]);
  const hex = (secrets: readonly Uint8Array[]): string[] =>
    secrets.map((secret) => Buffer.from(secret).toString("hex"));
  return (
    a.address === b.address &&
    same(a.keys, b.keys) &&
    same(hex(a.secrets), hex(b.secrets)) &&
    same(a.required, b.required)
  );
}

function capabilities(restartTime: number, restarting: boolean): readonly Capability[] {
  const refresh = { name: ROUTE_REFRESH };
  if (restartTime === 0) return [refresh];
  return [refresh, { name: GRACEFUL_RESTART, restartTime: Math.ceil(restartTime / 1000), restarting }];
}
