// What a session's frames travel over: the one interface of a WebSocket and of a stream of iroh's, on either side. A link
// carries texts in order, each whole or not at all; it knows nothing of what is in them, of budgets or of capnweb.

import type { Fault } from "../fault/fault.ts";

export interface Link {
  /** Sends frames in order, in as few writes as possible. False: the link is broken, and nothing sent later will arrive. */
  send(frames: readonly string[]): boolean;
  /** Bytes that were sent and are still buffered on this side. */
  readonly unsent: number;
  /** Closes once what was sent has left. */
  close(code: number, reason: string): void;
  /** Closes at once. */
  terminate(): void;
}

/** Receives what comes over a link. `closed` is called once, and nothing after it. */
export interface LinkReceiver {
  received(frame: string): void;
  /** Something came that is no frame. */
  invalid(why: Fault): void;
  closed(code: number, reason: string): void;
}

/** An incoming connection, before it is authenticated. */
export interface Arrival {
  /** A frame of so many bytes is coming. @throws FaultError where it is too large to wait for */
  arriving(bytes: number): void;
  /** Its stream is open. Answers the receiver of what comes. */
  opened(link: Link): LinkReceiver;
  /** The connection is over, with or without a stream. */
  left(): void;
}

/** A link that this side has opened. What comes before `carry` is kept for the receiver. */
export interface DialledLink extends Link {
  /** Sets the receiver. To be called once, right after the link was opened. */
  carry(receiver: LinkReceiver): void;
}

/** Opens a link to a node; rejects with the reason why it cannot. */
export type Dial = (url: string) => Promise<DialledLink>;

/** RFC 6455 §7.4.1, on every transport. The reason beside it is a fault's code, where there is one. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
/** Never sent: the link broke without a close (RFC 6455 §7.4.1). */
export const CLOSE_ABNORMAL = 1006;
export const CLOSE_INVALID = 1007;
export const CLOSE_POLICY = 1008;
/** The code that capnweb itself closes with. */
export const CLOSE_OTHER = 3000;
