// What a session is: RFC 4271 §8's state machine for one connection with one peer, as a value. `step` makes the next one.

import type { ProofValues } from "../proof/prover.ts";
import type { Capability, Open } from "../wire/message.ts";
import type { DomainId, NodeId } from "../wire/names.ts";

/** The names of the states of RFC 4271 §8.2.2. */
export const STATES = ["idle", "connect", "active", "open-sent", "open-confirm", "established"] as const;
export type SessionState = (typeof STATES)[number];

/** RFC 4271 §8.1.3's timers, as deadlines on the monotonic clock, in milliseconds. */
export const TIMERS = ["connect-retry", "hold", "keepalive", "delay-open", "idle-hold"] as const;
export type Timer = (typeof TIMERS)[number];
export type Timers = Readonly<Partial<Record<Timer, number>>>;

/** A connection's name, given by whoever makes or accepts it; never used twice. */
export type ConnectionId = string;

/** The state of one session, as an immutable value. */
export interface Session {
  readonly state: SessionState;
  /** Who makes the connection: RFC 4271's active and passive side. */
  readonly role: "dialler" | "acceptor";
  readonly connection: ConnectionId | undefined;
  readonly timers: Timers;
  /** RFC 4271's ConnectRetryCounter: failures since the last session that held. Backoff follows from it. */
  readonly attempts: number;
  /** Numbers of the next message in each direction. */
  readonly sent: number;
  readonly received: number;
  /** Both offers, as they crossed: what is proved is about all of them, unknown capabilities included. */
  readonly ours: Open | undefined;
  readonly theirs: Open | undefined;
  /** When theirs came, on the monotonic clock: of two connections it says which was begun later (neighbor/collision.ts). */
  readonly offeredAt: number | undefined;
  /** Once both offers are there; it counts once it is proved. */
  readonly agreed: Agreed | undefined;
  /** The peer's highest epoch that was known by then. Its proof is later: with an earlier epoch it is of a peer that was put back. */
  readonly known: number | undefined;
  /** The dialler's own, which the acceptor's is about as well. */
  readonly proof: ProofValues | undefined;
  /** When it became so, on the monotonic clock. */
  readonly establishedAt: number | undefined;
}

/** A dialler's starts in Idle, RFC 4271 §8.2.2. An acceptor's is made for a connection that somebody dialled, and waits for it. */
export function newSession(role: Session["role"]): Session {
  return {
    state: role === "dialler" ? "idle" : "active",
    role,
    connection: undefined,
    timers: {},
    attempts: 0,
    sent: 0,
    received: 0,
    ours: undefined,
    theirs: undefined,
    offeredAt: undefined,
    agreed: undefined,
    known: undefined,
    proof: undefined,
    establishedAt: undefined,
  };
}

/** What both offers come to (negotiate.ts). */
export interface Agreed {
  readonly version: number;
  readonly node: NodeId;
  readonly name: string;
  readonly domain: DomainId;
  readonly epoch: number;
  /** Milliseconds; 0 is never. */
  readonly holdTime: number;
  /** Ours that the other side has as well. */
  readonly capabilities: readonly Capability[];
  /** RFC 4724 §3: how long our peer asks its routes to be kept, in milliseconds; `undefined` where either side cannot. */
  readonly restartTime: number | undefined;
  /** RFC 4724 §3's restart state: the peer has just started and waits for end-of-table marks. */
  readonly restarting: boolean;
}

/** How sessions with one peer are to be. Secrets are not here: they are in the prover (proof/). */
export interface SessionConfig {
  readonly local: {
    readonly node: NodeId;
    readonly name: string;
    readonly domain: DomainId;
    /** base64url, 32 bytes. */
    readonly key: string;
    readonly epoch: number;
  };
  readonly peer: {
    readonly node: NodeId;
    /** Pinned keys, base64url: the current one, and the next while it is rotated. */
    readonly keys: readonly string[];
    /** `undefined`: whatever it says, as long as it is not ours. An internal peer is configured with our domain. */
    readonly domain: DomainId | undefined;
    /** The highest that it has proved, if any. */
    readonly epoch?: number;
  };
  /** Nothing dials: there is no address, the peer dials us (RFC 4271's PassiveTcpEstablishment). */
  readonly passive: boolean;
  /** Milliseconds. RFC 4271 §10 suggests 90 s. */
  readonly holdTime: number;
  /** The smallest that is accepted of a peer, in milliseconds. */
  readonly minHoldTime: number;
  /** How long a connection may take to be made, and a handshake to be done (RFC 4271's large hold time in OpenSent), ms. */
  readonly connectTime: number;
  readonly openTime: number;
  /** Backoff between attempts: doubles from the first to the last, in milliseconds, less up to a quarter at random. */
  readonly backoff: { readonly first: number; readonly last: number };
  readonly capabilities: readonly Capability[];
  /** Names of capabilities without which there is no session. */
  readonly required: readonly string[];
}
