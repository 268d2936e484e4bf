// What a speaker is told: by its operator, by its node, and by the transports.

import type { Owner } from "../policy/route-policy.ts";
import type { ConnectionId } from "../session/session.ts";
import type { Leaf } from "../wire/message.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import type { PeerConfig } from "./speaker-config.ts";

export type SpeakerInput =
  /**
   * Adds a peer and starts it, or changes one: policies and limits at once, the rest by a new session where it has to be.
   * Throws where it cannot be (check-config.ts), and nothing has changed.
   */
  | { readonly type: "configure-peer"; readonly peer: PeerConfig }
  | { readonly type: "remove-peer"; readonly node: NodeId }
  | { readonly type: "start-peer"; readonly node: NodeId }
  | { readonly type: "stop-peer"; readonly node: NodeId }
  /** Asks the peer for its table again (RFC 2918). */
  | { readonly type: "refresh-peer"; readonly node: NodeId }
  | { readonly type: "set-owners"; readonly owners: readonly Owner[] }
  /** What this node offers itself. What is no route is told as `not-offered`, and the others stand. */
  | { readonly type: "originate"; readonly announce: readonly Leaf[]; readonly withdraw: readonly RouteName[] }
  /** The connection of a `dial` is there, or is not. `binding`: what both ends know of the channel, such as its certificate's digest. */
  | { readonly type: "connected"; readonly connection: ConnectionId; readonly binding?: string }
  | { readonly type: "dial-failed"; readonly connection: ConnectionId; readonly text: string }
  /** Somebody dialled us. The id is the transport's, and is not used again. */
  | { readonly type: "accepted"; readonly connection: ConnectionId; readonly binding?: string }
  /** A message as the JSON value that it is; `read` tells text from it (wire/decodeFrame). */
  | { readonly type: "received"; readonly connection: ConnectionId; readonly value: unknown }
  | { readonly type: "received-text"; readonly connection: ConnectionId; readonly text: string }
  | { readonly type: "lost"; readonly connection: ConnectionId; readonly text: string }
  | { readonly type: "tick" }
  /** The node stops and comes back: peers keep its routes. */
  | { readonly type: "going-down" };
