// What a speaker is told: by its operator, by its node, and by the transports.

import type { Owner } from "../policy/route-policy.ts";
import type { ConnectionId } from "../session/session.ts";
import type { Leaf, MessageType } from "../wire/message.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import type { PeerConfig } from "./speaker-config.ts";

/** What can happen to a speaker. */
export type SpeakerInput =
  /**
   * Adds a peer and starts it, or changes one: policies and limits at once, the rest by a new session where that is needed.
   * `Speaker.handle` throws where the configuration is invalid (check-config.ts), and nothing has changed.
   */
  | { readonly type: "configure-peer"; readonly peer: PeerConfig }
  | { readonly type: "remove-peer"; readonly node: NodeId }
  | { readonly type: "start-peer"; readonly node: NodeId }
  | { readonly type: "stop-peer"; readonly node: NodeId }
  /** Asks the peer for its table again (RFC 2918). */
  | { readonly type: "refresh-peer"; readonly node: NodeId }
  /** Sends a keepalive now, ahead of its time: the node adds something to it. */
  | { readonly type: "keep-alive"; readonly node: NodeId }
  /** Forgets the epoch that the peer has proved, so that a peer restored from an older backup is accepted again. */
  | { readonly type: "forget-epoch"; readonly node: NodeId }
  | { readonly type: "set-owners"; readonly owners: readonly Owner[] }
  /** Changes the routes that this node originates. Invalid ones are reported as `not-offered`; the others are taken. */
  | { readonly type: "originate"; readonly announce: readonly Leaf[]; readonly withdraw: readonly RouteName[] }
  /** A `dial` has succeeded or failed. `binding`: a value of the channel that both ends know, such as the certificate's digest. */
  | { readonly type: "connected"; readonly connection: ConnectionId; readonly binding?: string }
  | { readonly type: "dial-failed"; readonly connection: ConnectionId; readonly text: string }
  /** Somebody dialled us. The transport chose the connection's id, and never uses it again. */
  | { readonly type: "accepted"; readonly connection: ConnectionId; readonly binding?: string }
  /** A message, as a parsed JSON value or as text. `only`: the type that the transport took it for; any other is refused. */
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
