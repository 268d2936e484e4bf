// A connection with a peer, as the host has it: what the speaker wants said goes in here, and comes out as calls.

import type { Message as Call, CallOptions } from "@capstan/orchestrator";
import type { ConnectionId, Message } from "@capstan/peer";

/** What a node that forwards a call says of where it comes from. */
export interface ForwardOptions extends CallOptions {
  readonly via?: readonly string[] | undefined;
  readonly hops?: number | undefined;
  readonly request?: string | undefined;
}

/** Asks the other side for a message, in our name there. @throws its fault, or that the connection is gone */
export type Ask = (call: Call, options?: ForwardOptions) => Promise<unknown>;

export interface Link {
  readonly connection: ConnectionId;
  /** Who made it. */
  readonly dialled: boolean;
  send(message: Message): void;
  /** Nothing more will be sent: it closes once what was is out, or the other side has had its time. */
  end(): void;
  /** It closes now, whatever was to be said. */
  close(): void;
  /** Until it is there, what the other side has to be asked cannot be. */
  readonly ask: Ask | undefined;
  /** The other side has taken all that was said, and so has acted on it. */
  readonly isTaken: boolean;
  /** It is closed, or lost: nothing more is answered over it. */
  readonly over: boolean;
  /** Once it is. */
  readonly ended: Promise<void>;
}

/** What a link tells the host. */
export interface LinkEvents {
  /** A message of the protocol, as a value that nobody has looked at. */
  received(value: unknown): void;
  lost(text: string): void;
}
