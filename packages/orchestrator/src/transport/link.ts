// What a session's frames travel over: the one interface of a WebSocket and of a stream of iroh's, on either side. A link
// carries texts in order, each whole or not at all; it knows nothing of what is in them, of budgets or of capnweb.

import type { Fault } from "../fault/fault.ts";

export interface Link {
  /** In order, in as few writes as can be. False: the peer does not take them, and nothing that is sent after it arrives. */
  send(frames: readonly string[]): boolean;
  /** Bytes that were sent and that the peer's side has not taken. */
  readonly unsent: number;
  /** Ends once what was sent has left. */
  close(code: number, reason: string): void;
  /** Ends at once. */
  terminate(): void;
}

/** Who is told what comes over a link: nothing after `closed`, and `closed` once. */
export interface LinkReceiver {
  received(frame: string): void;
  /** What came is no frame. */
  invalid(why: Fault): void;
  closed(code: number, reason: string): void;
}

/** A connection that has come, before anybody knows whose it is. */
export interface Arrival {
  /** Whether so large a frame is to be waited for; throws a FaultError where it is not. */
  arriving(bytes: number): void;
  /** It has its stream. Answers who is told what comes. */
  opened(link: Link): LinkReceiver;
  /** It is over, whether or not it had a stream. */
  left(): void;
}

/** A link that this side has opened. What comes before it is told to whom waits. */
export interface DialledLink extends Link {
  /** From here on the receiver is told what comes; to be called once, and at once. */
  carry(receiver: LinkReceiver): void;
}

/** Opens a link to a node. What it rejects with is why there is none. */
export type Dial = (url: string) => Promise<DialledLink>;

/** RFC 6455 §7.4.1, on every transport. The reason beside it is a fault's code, where there is one. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
/** Never sent: there was no word of it. */
export const CLOSE_ABNORMAL = 1006;
export const CLOSE_INVALID = 1007;
export const CLOSE_POLICY = 1008;
/** capnweb's own. */
export const CLOSE_OTHER = 3000;
