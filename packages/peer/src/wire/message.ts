// The messages of a session, each a JSON object with its number in its direction (`seq`, from 0). The schemas here are the
// only definition; docs/peering-wire.md shows one of each. What is inside an update is parsed announcement by announcement
// (read-update.ts), so that one that is malformed costs its own routes and not the session (RFC 7606).

import { z } from "zod";
import { bytes32, bytes64, cosignature, count, identifier, line, note, routeName } from "./names.ts";
import { words } from "./words.ts";

/** Versions of this protocol that this package speaks, best first. */
export const VERSIONS = [1] as const;

/** What a speaker can do beside the mandatory. Those that the other side does not know are kept: they are in what is proved. */
export const capability = z.looseObject({ name: identifier });
export type Capability = z.output<typeof capability>;

/** RFC 4271 §4.2, and RFC 5492 for capabilities. An offer: nothing in it counts until it is proved. */
export const open = z.looseObject({
  type: z.literal("open"),
  seq: count,
  /** All that the sender speaks, so that a downgrade shows in what is proved. */
  versions: z.array(count).min(1).max(16),
  node: identifier,
  /** For people; at most 64 characters. */
  name: line.min(1).max(64),
  domain: identifier,
  /** The node's ed25519 public key, which the other side has pinned. */
  key: bytes32,
  /** The sender's incarnation: it rises with each of its starts. */
  epoch: count,
  /** Seconds: 0 (never), or 3 and more (RFC 4271 §4.2). The smaller of both holds. */
  holdTime: count.max(65_535),
  /** 32 random bytes, for this connection alone. */
  nonce: bytes32,
  /** Ids of the pair's secrets that the sender has, the preferred one first: the dialler lists all, the acceptor the one that it takes. */
  secrets: z.array(bytes32).min(1).max(2),
  capabilities: z.array(capability).max(32),
});

/** That the sender has the pair's secret and the identity's key, over both offers (proof/). */
export const proof = z.strictObject({
  type: z.literal("proof"),
  seq: count,
  /** The id of the secret. */
  secret: bytes32,
  /** HMAC-SHA256. */
  mac: bytes32,
  signature: bytes64,
});

/** RFC 4271 §4.4. What it carries besides is for witnesses, and nothing to the session. */
export const keepalive = z.strictObject({
  type: z.literal("keepalive"),
  seq: count,
  /** Of the sender's log, where it is another than the one that was told last. */
  checkpoint: note.optional(),
  /** The sender's, of checkpoints of the receiver's log. */
  cosignatures: z.array(cosignature).min(1).max(2).optional(),
});

/**
 * What an origin promises of asking twice for what a route leads to (RFC 9110 §9.2): it is as good as once, or changes nothing at
 * all. A closed set: another word is another version's.
 */
export const REPEATABLE = ["idempotent", "read-only"] as const;
export type Repeatable = (typeof REPEATABLE)[number];

const digest = z.union([z.literal(""), bytes32]);
/**
 * A leaf of an origin's chunk: a route's name and the digest of what it leads to (of an action, its schemas), "" where it has none;
 * and what may be repeated. What has no third element is promised nothing of.
 */
export const leaf = z.union([z.tuple([routeName, digest]), z.tuple([routeName, digest, z.enum(REPEATABLE)])]);
export type Leaf = readonly [name: string, digest: string, repeatable?: Repeatable];
/** So many leaves that are not told, as the hash of their subtree. */
export const pruned = z.tuple([count.min(1), bytes32]);
export type Pruned = readonly [span: number, hash: string];

/** Leaves of one chunk, at most. */
export const LEAVES = 1024;

/** What an origin signs: so many leaves, under a Merkle root (origin/). */
export const originClaim = z.strictObject({
  node: identifier,
  domain: identifier,
  key: bytes32,
  /** The origin's incarnation. What it signed in an earlier one is void. */
  epoch: count,
  /** Seconds since 1970, wall clock. */
  expires: count,
  /** Leaves of the whole chunk. */
  size: count.min(1).max(LEAVES),
  signature: bytes64,
});
export type OriginClaim = Readonly<z.output<typeof originClaim>>;

/** Domains, the nearest first; the origin's own is the last. Empty: it is of the sender's domain, which is ours. */
export const path = words(1024);
/** Inside a domain alone (RFC 4271 §5.1.5). */
const localPreference = count.max(4_294_967_295);
/** RFC 1997's communities, as words. */
export const tags = words(32);

/** Places among an announcement's leaves, from 0: one, or several whose routes share what is said of them. */
export const places = z.union([count, z.array(count).min(1).max(LEAVES)]);

/**
 * Attributes of single routes of an announcement, in columns: in the place of each entry of `at` what is said of those routes, null what
 * is as the announcement says; a column that is absent says nothing. An object a route would cost twice as much to read.
 */
export const apart = z.strictObject({
  /** No place is in two of these. */
  at: z.array(places).min(1).max(LEAVES),
  path: z.array(path.nullable()).max(LEAVES).optional(),
  localPreference: z.array(localPreference.nullable()).max(LEAVES).optional(),
  tags: z.array(tags.nullable()).max(LEAVES).optional(),
});
export type Apart = z.output<typeof apart>;

/**
 * Routes that their origin signed together, and their attributes (RFC 4271 §4.3: path attributes, and the NLRI that they are of):
 * those that all share, and those of single ones. One proof is enough for all of them.
 */
export const announcement = z.strictObject({
  path,
  localPreference: localPreference.optional(),
  tags: tags.optional(),
  apart: apart.optional(),
  origin: originClaim,
  /** The chunk's tree from left to right, what is not told pruned. */
  leaves: z
    .array(z.union([leaf, pruned]))
    .min(1)
    .max(LEAVES),
});
export type Announcement = z.output<typeof announcement>;

/** Names withdrawn in one update, and announcements in it, at most. The receiver's own limit of routes is a smaller one. */
export const UPDATE_ENTRIES = 16_384;

/** Routes, announced and withdrawn, that one update may carry: no sender sends more, and no receiver's limit is below. */
export const UPDATE_ROUTES = 1024;

/** RFC 4271 §4.3. Announcements are parsed one by one. */
export const update = z.strictObject({
  type: z.literal("update"),
  seq: count,
  withdraw: z.array(z.unknown()).max(UPDATE_ENTRIES),
  announce: z.array(z.unknown()).max(UPDATE_ENTRIES),
});

/** RFC 4724 §2, End-of-RIB: all that the sender has has been sent; also the end of a refresh (RFC 7313). */
export const endOfTable = z.strictObject({ type: z.literal("end-of-table"), seq: count });

/** RFC 2918 and 7313: asks for the table again, or says that it begins. */
export const routeRefresh = z.strictObject({
  type: z.literal("route-refresh"),
  seq: count,
  phase: z.enum(["request", "begin"]),
});

/** RFC 4271 §4.5: what was wrong; the session ends with it. Codes are those of notification-codes.ts; unknown ones are another version's. */
export const notification = z.strictObject({
  type: z.literal("notification"),
  seq: count,
  code: identifier,
  subcode: identifier,
  /** For people. */
  reason: line.max(512),
});

/** The sender goes, and nothing is wrong: with `restart` it comes back, and its routes may be kept as stale until then. */
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
/** As it is parsed from the wire: what it announces is not looked at yet. */
export type RawUpdate = z.output<typeof update>;
export type EndOfTable = z.output<typeof endOfTable>;
export type RouteRefresh = z.output<typeof routeRefresh>;
export type Notification = z.output<typeof notification>;
export type Close = z.output<typeof close>;
export type Message = z.output<typeof message>;
export type MessageType = Message["type"];

/** A message that is yet to get its number. */
type Unnumbered<M> = M extends unknown ? Omit<M, "seq"> : never;
export type Outgoing = Unnumbered<Exclude<Message, Open>> | (Omit<Open, "seq"> & { readonly type: "open" });
