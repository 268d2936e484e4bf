// A connection with a peer, as the host uses it: it sends the speaker's messages as calls to the peer.

import type { Message as Call, CallOptions } from "@capstan/orchestrator";
import type { ConnectionId, Message } from "@capstan/peer";

/** The options with which a node forwards a call: where the call came from. */
export interface ForwardOptions extends CallOptions {
  readonly via?: readonly string[] | undefined;
  readonly hops?: number | undefined;
  readonly request?: string | undefined;
}

/** Sends a message to the peer, under our principal there. @throws the peer's fault, or that the connection is gone */
export type Ask = (call: Call, options?: ForwardOptions) => Promise<unknown>;

export interface Link {
  readonly connection: ConnectionId;
  /** Whether this node dialled it. */
  readonly dialled: boolean;
  send(message: Message): void;
  /** Sends nothing more, and closes once the peer has taken all queued messages, or did not take them in time. */
  end(): void;
  /** Closes at once, and drops queued messages. */
  close(): void;
  /** `undefined` until the handshake is complete, and after the end: the peer cannot be called then. */
  readonly ask: Ask | undefined;
  /** Whether the peer has taken all messages, and so has acted on them. */
  readonly isTaken: boolean;
  /** Whether it is closed or lost: no more answers come over it. */
  readonly over: boolean;
  /** Resolves once it is over. */
  readonly ended: Promise<void>;
}

/** The events of a link, for the host. */
export interface LinkEvents {
  /** A frame of the protocol, not parsed yet. */
  received(value: unknown): void;
  lost(text: string): void;
}
