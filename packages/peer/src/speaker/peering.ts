// One configured peer of a speaker: its configuration, its sessions as a value, and what they need to be stepped with.

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
  /** Nothing: policies and limits are the RIB's. */
  | "as it was"
  /** What kept it away may be gone. What there is stays: a secret or a key on its way out may still carry a session. */
  | "try again"
  /** What was agreed on, or proved, does not hold any more. */
  | "anew";

export class Peering {
  config: PeerConfig;
  /** The next time at which a tick means something to its sessions; asked for after every input of any peer. */
  deadline = Number.POSITIVE_INFINITY;
  #neighbor: Neighbor = newNeighbor();
  /** Of the session that is established. */
  agreed: Agreed | undefined;
  /** When it was last sent routes. */
  sentAt = Number.NEGATIVE_INFINITY;
  /** When the session that is, or was last, brought anything. */
  heardAt = Number.NEGATIVE_INFINITY;
  /** It asked for its table again, and was not sent it yet; and when it was the last time. */
  refreshOwed = false;
  refreshedAt = Number.NEGATIVE_INFINITY;
  /** That the last session was proved with, and so what is kept of it. */
  #key: string | undefined;
  /** The highest that was proved. */
  #epoch: number | undefined;
  readonly #speaker: SpeakerConfig;
  #session: SessionConfig;
  #prover: Prover;
  /** The last one that was needed: making one derives the secrets' ids. */
  #bound: { readonly binding: string; readonly prover: Prover } | undefined;

  /** Throws where the configuration cannot be. */
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

  /** Throws where the configuration cannot be; all is then as before. */
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

  /** Whether there was one. */
  forgetEpoch(): boolean {
    const known = this.#epoch !== undefined;
    this.#epoch = undefined;
    this.#session = this.#sessionConfig(false);
    return known;
  }

  /** What a step may know. `restarting` is said to the peer, and soon over. */
  context(at: At, binding: string | undefined, restarting: boolean): SessionContext {
    const { random, nonce } = this.#speaker;
    const config = restarting ? this.#sessionConfig(true) : this.#session;
    const prover = binding === undefined ? this.#prover : this.#boundTo(binding);
    return { now: at.now, random, nonce, config, prover };
  }

  /** As the RIB has it; `domain` where the peer says it itself. */
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

/** Whether whatever kept a peer away may still do so. */
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
