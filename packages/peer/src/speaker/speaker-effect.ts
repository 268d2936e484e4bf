// What a speaker wants done, in order. The caller, who holds the transports, carries it out.

import type { Received } from "../rib/outcome.ts";
import type { BestChange } from "../rib/path.ts";
import type { Reason } from "../session/reason.ts";
import type { Agreed, ConnectionId } from "../session/session.ts";
import type { Message } from "../wire/message.ts";
import type { NodeId } from "../wire/names.ts";

/** What a speaker wants done. */
export type SpeakerEffect =
  /** Answered by `connected` or `dial-failed` with this id. */
  | { readonly type: "dial"; readonly connection: ConnectionId; readonly peer: NodeId; readonly address: string }
  | { readonly type: "send"; readonly connection: ConnectionId; readonly message: Message }
  /** Close it once what was sent has left; also ends a dial that is under way. No further input of it is expected. */
  | { readonly type: "disconnect"; readonly connection: ConnectionId }
  /** Best paths that changed. */
  | { readonly type: "routes"; readonly changes: readonly BestChange[] }
  /** For logs, alerts and `peer.show`. */
  | { readonly type: "event"; readonly event: SpeakerEvent };

/** What a speaker reports. */
export type SpeakerEvent =
  | { readonly kind: "established"; readonly peer: NodeId; readonly connection: ConnectionId; readonly agreed: Agreed }
  | { readonly kind: "down"; readonly peer: NodeId; readonly graceful: boolean; readonly reason: Reason }
  /** Why a session ended, established or not; if it was, `down` is told too. `rewound` in a reason comes from a proved peer. */
  | { readonly kind: "session"; readonly peer: NodeId; readonly reason: Reason }
  /** A connection that was turned away: from no configured peer, silent, or malformed. */
  | { readonly kind: "refused"; readonly connection: ConnectionId; readonly text: string }
  | {
      readonly kind: "limit";
      readonly peer: NodeId;
      readonly then: "warn" | "drop" | "restart" | "disable";
      readonly routes: number;
    }
  /** An update was processed. Counts are of routes: `refused` by the limit, `malformed` treated as withdrawn. */
  | ({ readonly kind: "updated"; readonly peer: NodeId; readonly seq: number; readonly malformed: number } & Omit<
      Received,
      "malformed" | "limit"
    >)
  /** Routes that were treated as withdrawn, and why (RFC 7606 §6: an operator has to be able to find out). */
  | { readonly kind: "malformed"; readonly peer: NodeId; readonly routes: number; readonly text: string }
  /** A route that this node was told to originate is not valid. */
  | { readonly kind: "not-offered"; readonly text: string };
