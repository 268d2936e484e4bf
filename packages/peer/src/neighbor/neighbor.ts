// One configured peer: the session that we dial, the sessions of connections that claim to be the peer's, and which of them is
// established. An immutable value; step-neighbor.ts makes the next one.

import type { SessionEffect } from "../session/effect.ts";
import type { AskedMessage } from "../session/input.ts";
import type { Reason } from "../session/reason.ts";
import { type ConnectionId, newSession, type Session } from "../session/session.ts";
import { deadline } from "../session/timers.ts";
import type { Message, Open } from "../wire/message.ts";
import type { Complaint } from "../wire/notification-codes.ts";
import { type Flapping, STEADY } from "./flapping.ts";

/** The sessions with one configured peer, as a value. */
export interface Neighbor {
  /** Started, and not stopped since. RFC 4271 §8.2.2: otherwise all connections are refused. */
  readonly running: boolean;
  readonly dialled: Session;
  /** The oldest first. */
  readonly accepted: ReadonlyMap<ConnectionId, Session>;
  /** The one that is established. */
  readonly current: ConnectionId | undefined;
  readonly flapping: Flapping;
}

/** What can happen to a neighbor. */
export type NeighborInput =
  | { readonly type: "start" }
  | { readonly type: "stop"; readonly complaint: Complaint; readonly text: string }
  /** Our node goes and comes back. */
  | { readonly type: "going-down" }
  /** With `restartAfter` (ms) it starts again by itself; without, it is stopped. */
  | {
      readonly type: "limit";
      readonly complaint: Complaint;
      readonly text: string;
      readonly restartAfter: number | undefined;
    }
  /** Somebody dialled us and claims in its open to be this peer. */
  | { readonly type: "accepted"; readonly connection: ConnectionId; readonly open: Open }
  /** The dial's connection is there. */
  | { readonly type: "made"; readonly connection: ConnectionId }
  /** `undefined`: the dial failed. */
  | { readonly type: "failed"; readonly connection: ConnectionId | undefined; readonly text: string }
  | { readonly type: "message"; readonly connection: ConnectionId; readonly message: Message }
  | {
      readonly type: "malformed";
      readonly connection: ConnectionId;
      readonly complaint: Complaint;
      readonly text: string;
    }
  | {
      readonly type: "update-error";
      readonly connection: ConnectionId;
      readonly complaint: Complaint;
      readonly text: string;
    }
  /** To the peer over the established session; nothing where there is none. */
  | { readonly type: "send"; readonly message: AskedMessage }
  | { readonly type: "tick" };

export interface NeighborStep {
  readonly neighbor: Neighbor;
  readonly effects: readonly SessionEffect[];
  /** The reasons of all sessions that were stepped. Without a connection: of the dialling session. */
  readonly reasons: readonly { readonly connection?: ConnectionId; readonly reason: Reason }[];
}

export function newNeighbor(): Neighbor {
  return {
    running: false,
    dialled: newSession("dialler"),
    accepted: new Map(),
    current: undefined,
    flapping: STEADY,
  };
}

/** The next time at which `tick` has something to do. */
export function neighborDeadline({ dialled, accepted }: Neighbor): number | undefined {
  let earliest = deadline(dialled);
  for (const session of accepted.values()) {
    const at = deadline(session);
    if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
  }
  return earliest;
}

export function establishedSession({ dialled, accepted, current }: Neighbor): Session | undefined {
  if (current === undefined) return undefined;
  return dialled.connection === current ? dialled : accepted.get(current);
}
