// The messages of a session, each a JSON object with its sequence number in its direction (`seq`, from 0). These schemas are the
// only definition; docs/peering-wire.md shows one of each. An update's announcements are parsed one by one
// (read-update.ts), so that a malformed one costs only its own routes and not the session (RFC 7606).

import { z } from "zod";
import { bytes32, bytes64, cosignature, count, identifier, line, note, routeName } from "./names.ts";
import { words } from "./words.ts";

/** The protocol versions that this package speaks, the preferred one first. */
export const VERSIONS = [1] as const;

/** An optional feature of a speaker. Unknown capabilities are kept, because the proof covers them. */
export const capability = z.looseObject({ name: identifier });
export type Capability = z.output<typeof capability>;

/** RFC 4271 §4.2, and RFC 5492 for capabilities. An offer: nothing in it is trusted until the proof. */
export const open = z.looseObject({
  type: z.literal("open"),
  seq: count,
  /** All versions that the sender speaks; the proof covers them, so that it exposes a downgrade. */
  versions: z.array(count).min(1).max(16),
  node: identifier,
  /** For people; at most 64 characters. */
  name: line.min(1).max(64),
  domain: identifier,
  /** The node's ed25519 public key, which the other side has pinned. */
  key: bytes32,
  /** The number of the sender's start; it rises with each start. */
  epoch: count,
  /** Seconds: 0 (never), or 3 and more (RFC 4271 §4.2). The smaller of both holds. */
  holdTime: count.max(65_535),
  /** 32 random bytes, used for this connection only. */
  nonce: bytes32,
  /** Ids of the pair's secrets that the sender has, the preferred one first: the dialler lists all, the acceptor the one that it takes. */
  secrets: z.array(bytes32).min(1).max(2),
  capabilities: z.array(capability).max(32),
});

/** Proves that the sender has the pair secret and the node's key; covers both offers (proof/). */
export const proof = z.strictObject({
  type: z.literal("proof"),
  seq: count,
  /** The id of the secret. */
  secret: bytes32,
  /** HMAC-SHA256. */
  mac: bytes32,
  signature: bytes64,
});

/** RFC 4271 §4.4. The optional fields are for witnesses, and do not affect the session. */
export const keepalive = z.strictObject({
  type: z.literal("keepalive"),
  seq: count,
  /** The newest checkpoint of the sender's log, if it has changed since the last one that was sent. */
  checkpoint: note.optional(),
  /** The sender's cosignatures on checkpoints of the receiver's log. */
  cosignatures: z.array(cosignature).min(1).max(2).optional(),
});

/**
 * What an origin promises of repeated calls to a route (RFC 9110 §9.2): two have the effect of one (`idempotent`), or a call has no effect
 * (`read-only`). A closed set: another word would need another version.
 */
export const REPEATABLE = ["idempotent", "read-only"] as const;
export type Repeatable = (typeof REPEATABLE)[number];

const digest = z.union([z.literal(""), bytes32]);
/**
 * A leaf of an origin's chunk: a route's name, the digest of its target (for an action, of its schemas; "" for none),
 * and the promise of repeatability. Without the third element nothing is promised.
 */
export const leaf = z.union([z.tuple([routeName, digest]), z.tuple([routeName, digest, z.enum(REPEATABLE)])]);
export type Leaf = readonly [name: string, digest: string, repeatable?: Repeatable];
/** A subtree of undisclosed leaves: their number, and the subtree's hash. */
export const pruned = z.tuple([count.min(1), bytes32]);
export type Pruned = readonly [span: number, hash: string];

/** The most leaves of one chunk. */
export const LEAVES = 1024;

/** What an origin signs besides the chunk's Merkle root (origin/). */
export const originClaim = z.strictObject({
  node: identifier,
  domain: identifier,
  key: bytes32,
  /** The number of the origin's start. Signatures of earlier epochs are void. */
  epoch: count,
  /** Seconds since 1970, wall clock. */
  expires: count,
  /** Leaves of the whole chunk. */
  size: count.min(1).max(LEAVES),
  signature: bytes64,
});
export type OriginClaim = Readonly<z.output<typeof originClaim>>;

/** Domains, the nearest first; the origin's own is the last. Empty: the origin is in the sender's domain, which is ours too. */
export const path = words(1024);
/** Only between internal peers (RFC 4271 §5.1.5). */
const localPreference = count.max(4_294_967_295);
/** RFC 1997's communities, as words. */
export const tags = words(32);

/** Indices of an announcement's leaves, from 0: one, or several whose routes share their attributes. */
export const places = z.union([count, z.array(count).min(1).max(LEAVES)]);

/**
 * Attributes of single routes of an announcement, in columns: entry i of a column holds for the routes at `at[i]`; null, or an absent
 * column, means the announcement's shared value. One object for each route would cost twice as much to read.
 */
export const apart = z.strictObject({
  /** Each index occurs at most once. */
  at: z.array(places).min(1).max(LEAVES),
  path: z.array(path.nullable()).max(LEAVES).optional(),
  localPreference: z.array(localPreference.nullable()).max(LEAVES).optional(),
  tags: z.array(tags.nullable()).max(LEAVES).optional(),
});
export type Apart = z.output<typeof apart>;

/**
 * Routes that their origin signed together, and their attributes (RFC 4271 §4.3: path attributes and NLRI):
 * the shared ones, and those of single routes (`apart`). One signature covers all of them.
 */
export const announcement = z.strictObject({
  path,
  localPreference: localPreference.optional(),
  tags: tags.optional(),
  apart: apart.optional(),
  origin: originClaim,
  /** The chunk's leaves from left to right, with undisclosed subtrees pruned. */
  leaves: z
    .array(z.union([leaf, pruned]))
    .min(1)
    .max(LEAVES),
});
export type Announcement = z.output<typeof announcement>;

/** The most entries of `withdraw`, and of `announce`, in one update. The receiver's limit of routes is smaller. */
export const UPDATE_ENTRIES = 16_384;

/** The most routes, announced and withdrawn, that a sender puts into one update; no receiver may have a lower limit. */
export const UPDATE_ROUTES = 1024;

/** RFC 4271 §4.3. Announcements are parsed one by one. */
export const update = z.strictObject({
  type: z.literal("update"),
  seq: count,
  withdraw: z.array(z.unknown()).max(UPDATE_ENTRIES),
  announce: z.array(z.unknown()).max(UPDATE_ENTRIES),
});

/** RFC 4724 §2, End-of-RIB: the sender's whole table has been sent; also the end of a refresh (RFC 7313). */
export const endOfTable = z.strictObject({ type: z.literal("end-of-table"), seq: count });

/** RFC 2918 and 7313: asks for the table again (`request`), or announces that it is sent again (`begin`). */
export const routeRefresh = z.strictObject({
  type: z.literal("route-refresh"),
  seq: count,
  phase: z.enum(["request", "begin"]),
});

/** RFC 4271 §4.5: an error that ends the session. notification-codes.ts has the codes; others may come from other versions. */
export const notification = z.strictObject({
  type: z.literal("notification"),
  seq: count,
  code: identifier,
  subcode: identifier,
  /** For people. */
  reason: line.max(512),
});

/** The sender ends the session without an error: with `restart` it comes back, and its routes may be kept as stale until then. */
export const close = z.strictObject({
  type: z.literal("close"),
  seq: count,
  restart: z.boolean(),
  reason: line.max(512),
});

export const message = z.discriminatedUnion("type", [
  open,
  proof,
  keepalive,
  update,
  endOfTable,
  routeRefresh,
  notification,
  close,
]);

export type Open = z.output<typeof open>;
export type Proof = z.output<typeof proof>;
export type Keepalive = z.output<typeof keepalive>;
/** An update as it is parsed from the wire: its announcements are not parsed yet. */
export type RawUpdate = z.output<typeof update>;
export type EndOfTable = z.output<typeof endOfTable>;
export type RouteRefresh = z.output<typeof routeRefresh>;
export type Notification = z.output<typeof notification>;
export type Close = z.output<typeof close>;
export type Message = z.output<typeof message>;
export type MessageType = Message["type"];

/** A message without its sequence number. */
type Unnumbered<M> = M extends unknown ? Omit<M, "seq"> : never;
export type Outgoing = Unnumbered<Exclude<Message, Open>> | (Omit<Open, "seq"> & { readonly type: "open" });
