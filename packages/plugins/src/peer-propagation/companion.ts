// What goes along with the sessions of a node beside routes: checkpoints and their cosignatures, publications. Each is its own; the
// host knows none of them by name, and none of them holds it up.

import type { BestChange, Message, Rewound, SpeakerEvent } from "@capstan/peer";
import type { PeerName } from "./forward/far-answer.ts";

export type Updated = Omit<Extract<SpeakerEvent, { readonly kind: "updated" }>, "kind" | "peer">;

export interface Companion {
  /** A session was established, or lost. Both sides' tables are yet to come. */
  established?(peer: PeerName): void;
  lost?(peer: PeerName): void;
  /** There is no session, because the peer itself proved to be in an earlier start than it had been in. */
  rewound?(peer: PeerName, rewound: Rewound): void;
  /** A frame is about to be sent; what it answers is sent in its place. */
  outgoing?(peer: PeerName, frame: Message): Message;
  /** A frame of a peer's that the pipeline let through, as it came: a value that nobody has looked at, or an update's text. */
  incoming?(peer: PeerName, frame: unknown): void;
  /** What became of an update of its, by routes: told before the frame is (`incoming`), in the same turn. */
  updated?(peer: PeerName, counts: Updated): void;
  /** The best ways to routes changed. */
  changed?(changes: readonly BestChange[]): void;
  stop?(): Promise<void> | void;
}
