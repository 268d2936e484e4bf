// The limits of one session, each with its reason. Sizes of text are in UTF-16 code units, a string's own length; Bun's
// `maxPayloadLength` bounds the bytes.

/** The limits of one session. Sizes of text are in UTF-16 code units. */
export interface SessionLimits {
  /** Pushes before authentication: a challenge, a few tries at a credential, health. */
  readonly anonymousCalls: number;
  /** One frame before authentication. A credential or a proof has a few kB; a stranger must not make us parse more. */
  readonly anonymousFrameBytes: number;
  /** Values copied by references before authentication: there is hardly anything to refer to yet. */
  readonly anonymousCopies: number;
  /** What waits while a credential is being verified: a burst of a few thousand small calls. */
  readonly waitingBytes: number;
  /** Calls in progress, those that a map makes included: eight times what a client usually has in flight. */
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

/** The limits where none are configured. */
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
