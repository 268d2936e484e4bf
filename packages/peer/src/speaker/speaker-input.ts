// What a speaker is told: by its operator, by its node, and by the transports.

import type { Owner } from "../policy/route-policy.ts";
import type { ConnectionId } from "../session/session.ts";
import type { Leaf, MessageType } from "../wire/message.ts";
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
  /** A keepalive now, and not in its time: the node has something to say with it. */
  | { readonly type: "keep-alive"; readonly node: NodeId }
  /** What it proved of its starts counts no more: one that was put back to an older state may come again. */
  | { readonly type: "forget-epoch"; readonly node: NodeId }
  | { readonly type: "set-owners"; readonly owners: readonly Owner[] }
  /** What this node offers itself. What is no route is told as `not-offered`, and the others stand. */
  | { readonly type: "originate"; readonly announce: readonly Leaf[]; readonly withdraw: readonly RouteName[] }
  /** The connection of a `dial` is there, or is not. `binding`: what both ends know of the channel, such as its certificate's digest. */
  | { readonly type: "connected"; readonly connection: ConnectionId; readonly binding?: string }
  | { readonly type: "dial-failed"; readonly connection: ConnectionId; readonly text: string }
  /** Somebody dialled us. The id is the transport's, and is not used again. */
  | { readonly type: "accepted"; readonly connection: ConnectionId; readonly binding?: string }
  /** A message as the JSON value that it is, or as its text; `only`: what it was taken for, and is refused where it is not. */
  | { readonly type: "received"; readonly connection: ConnectionId; readonly value: unknown }
  | {
      readonly type: "received-text";
      readonly connection: ConnectionId;
      readonly text: string;
      readonly only?: MessageType;
    }
  | { readonly type: "lost"; readonly connection: ConnectionId; readonly text: string }
  | { readonly type: "tick" }
  /** The node stops and comes back: peers keep its routes. */
  | { readonly type: "going-down" };
