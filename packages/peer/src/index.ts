// The peering protocol (DESIGN.md §6), without I/O: whoever holds the sockets, the clocks and the keys calls in, and carries
// out what it is answered. Below is its table of contents, from the whole to the parts.

// The RIB: Adj-RIB-In → import → decision → Loc-RIB → export → Adj-RIB-Out.
export { comparators } from "./decision/decide-best.ts";
// Limits: what one peer can cost.
export { defaultLimits } from "./limits/default-limits.ts";
export type { Damping, PeerLimits, RouteLimit } from "./limits/route-limit.ts";
// Sessions: RFC 4271 §8's state machine for one connection, and those of one peer with their collisions (§6.8).
export type { Neighbor, NeighborInput } from "./neighbor/neighbor.ts";
export { stepNeighbor } from "./neighbor/step-neighbor.ts";
// Origins: what a node offers, signed in chunks, and who may offer what.
export type { Chunk, OriginVerdict } from "./origin/chunk.ts";
export { disclose, signChunks } from "./origin/sign.ts";
// routePolicy: what comes in, and what goes out (RFC 8212).
export { compilePolicy } from "./policy/compile.ts";
export { describeClause } from "./policy/describe.ts";
export { parseRoutePolicy } from "./policy/parse.ts";
export type { Owner, PolicyRoute, RouteClause, RouteMatch, RoutePolicy } from "./policy/route-policy.ts";
export { ownerSchema, routePolicySchema } from "./policy/schema.ts";
// Proof: both sides have the pair's secret and the pinned key.
export { createProver, secretId } from "./proof/create-prover.ts";
export { type Identity, signWith, verifySignature } from "./proof/identity.ts";
export type { Prover } from "./proof/prover.ts";
export type { At, RibConfig, RibPeer } from "./rib/config.ts";
export type { Attributes, BestChange, Filtered, Path } from "./rib/path.ts";
export { type Advertised, type Received, Rib } from "./rib/rib.ts";
export type { SessionContext } from "./session/context.ts";
export type { SessionEffect } from "./session/effect.ts";
export { SESSION_INPUTS, type SessionInput } from "./session/input.ts";
export type { Reason, Rewound } from "./session/reason.ts";
export {
  type Agreed,
  type ConnectionId,
  newSession,
  type Session,
  type SessionConfig,
  STATES,
} from "./session/session.ts";
export { step } from "./session/step.ts";
// The speaker (RFC 4271 §1.1): sessions with its peers, and the routing information base between them.
export { defaultTiming } from "./speaker/default-timing.ts";
export { Speaker } from "./speaker/speaker.ts";
export type { PeerConfig, SpeakerConfig, SpeakerTiming } from "./speaker/speaker-config.ts";
export type { SpeakerEffect, SpeakerEvent } from "./speaker/speaker-effect.ts";
export type { SpeakerInput } from "./speaker/speaker-input.ts";
// The wire: messages, and what becomes of malformed ones (RFC 7606).
export type {
  Announcement,
  Capability,
  Leaf,
  Message,
  MessageType,
  Open,
  OriginClaim,
  Pruned,
  Repeatable,
} from "./wire/message.ts";
export type { DomainId, NodeId, RouteName } from "./wire/names.ts";
export { type Complaint, notificationCodes } from "./wire/notification-codes.ts";
export { decodeFrame, encodeFrame, FRAME_BYTES, type MessageReading, readMessage } from "./wire/read-message.ts";
export { readUpdate, type Update } from "./wire/read-update.ts";
export { listOf, type Words, wordsOf } from "./wire/words.ts";
