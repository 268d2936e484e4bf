// The limits of one session, each with its reason. Sizes of text are in UTF-16 code units, which is what a string knows of
// itself for nothing; Bun's own `maxPayloadLength` bounds the bytes.

export interface SessionLimits {
  /** Before authentication: pushes. A challenge, a few tries at a credential, health. */
  readonly anonymousCalls: number;
  /** Before authentication: one frame. A credential or a proof is a few kB; nobody unknown gets to make us parse more. */
  readonly anonymousFrameBytes: number;
  /** Before authentication: values copied by references. There is nothing yet that is worth referring to. */
  readonly anonymousCopies: number;
  /** While a credential is being verified, what came behind it waits: a burst of a few thousand small calls. */
  readonly waitingBytes: number;
  /** Calls that the scopes are answering, those that a map makes included: what a client keeps in flight, times eight. */
  readonly callsInFlight: number;
  /** Steps of one map: elements times instructions. A page of a thousand elements with a dozen steps each. */
  readonly expansionsPerMap: number;
  /** Pushes and stubs that the peer has not released. Each is an entry of a table, about 200 bytes without its value. */
  readonly liveExports: number;
  /** One frame. Larger data belongs in a blob. */
  readonly frameBytes: number;
  /** Frames of pushes that are not over yet: sixteen of the largest. A queued call keeps its arguments. */
  readonly inboundBytes: number;
  /** Values that references to earlier results copy, in pushes that are not over yet: about 100 MB of small objects. */
  readonly copiedValues: number;
  /** Replies held for the log, buffered or unread by the peer: four of the largest frames. */
  readonly outboundBytes: number;
}

export const defaultLimits: SessionLimits = {
  anonymousCalls: 8,
  anonymousFrameBytes: 64 * 1024,
  anonymousCopies: 4_096,
  waitingBytes: 1024 * 1024,
  callsInFlight: 4_096,
  expansionsPerMap: 16_384,
  liveExports: 16_384,
  frameBytes: 4 * 1024 * 1024,
  inboundBytes: 64 * 1024 * 1024,
  copiedValues: 4 * 1024 * 1024,
  outboundBytes: 16 * 1024 * 1024,
};
