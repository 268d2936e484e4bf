// The interface of what uses peers' sessions besides routing: witnesses, topics. The peer host calls each companion and knows none by name; a
// companion must not hold it up.

import type { BestChange, Message, Rewound, SpeakerEvent } from "@capstan/peer";
import type { PeerName } from "./names.ts";

export type Updated = Omit<Extract<SpeakerEvent, { readonly kind: "updated" }>, "kind" | "peer">;

export interface Companion {
  /** A session was established; neither side has sent its table yet. */
  established?(peer: PeerName): void;
  lost?(peer: PeerName): void;
  /** The peer was refused because it proved an earlier start than it had proved before. */
  rewound?(peer: PeerName, rewound: Rewound): void;
  /** A frame is about to be sent: the answer is sent in its place. */
  outgoing?(peer: PeerName, frame: Message): Message;
  /** A frame of a peer that passed the pipeline, as it came: an unchecked value, or the text of an update. */
  incoming?(peer: PeerName, frame: unknown): void;
  /** The result of a peer's update, in counts of routes; called before `incoming` for the same frame, in the same turn. */
  updated?(peer: PeerName, counts: Updated): void;
  /** Best paths changed. */
  changed?(changes: readonly BestChange[]): void;
  stop?(): Promise<void> | void;
}
