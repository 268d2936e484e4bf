// What peering keeps and can be asked: peers and how they are configured, in the log; which session is whose and where routes
// lead, in session tables. No secret is in any of it: a peer's is a reference, and is read when it is used.

import { type FaultTable, type Principal, type Repeatable, table } from "@capstan/orchestrator";
import type { Owner, RoutePolicy } from "@capstan/peer";
import type { Disclosure } from "./explain/account.ts";

/** What one peer may cost, where that is not @capstan/peer's `defaultLimits`. */
export interface Limits {
  readonly routes?: number | undefined;
  readonly then?: "warn" | "drop" | "restart" | "disable" | undefined;
  /** Milliseconds. */
  readonly restartAfter?: number | undefined;
  readonly pathLength?: number | undefined;
  readonly damping?: boolean | undefined;
  /** A second, that are taken in of the topics it leads to (topics/pace.ts). */
  readonly publications?: number | undefined;
}

/** An invitation that nobody has taken yet. */
export interface Invite {
  /** The id of the pair's secret (@capstan/peer's `secretId`): whoever takes the invitation names it. */
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** It is being stopped: nothing new goes over its session, which ends when what is in flight has ended. */
export interface Draining {
  /** Milliseconds since the epoch: then it ends, whatever is in flight. */
  readonly until: number;
  /** And then the peer is removed. */
  readonly removes?: boolean | undefined;
  /** The messages that wait for it. */
  readonly waiting: readonly string[];
}

/** A configured peer, and in whose name it was: what it may here was given to it by them. */
export interface PeerRow extends Principal {
  readonly name: string;
  /** Its node's id, and pinned keys; without them it is invited. */
  readonly node?: string | undefined;
  readonly keys: readonly string[];
  readonly invite?: Invite | undefined;
  /** Where it is dialled; without one it dials us. */
  readonly address?: string | undefined;
  /** Digest of the certificate that is expected there. */
  readonly pin?: string | undefined;
  readonly domain?: string | undefined;
  /** The pair's: current, and next while it is rotated. */
  readonly secrets: readonly { readonly secret: string }[];
  readonly import: RoutePolicy;
  readonly export: RoutePolicy;
  readonly limits: Limits;
  readonly required: readonly string[];
  /** What it may ask of us. */
  readonly peerGrant: string;
  readonly allow: readonly string[];
  /** What it may have asked by before: of those messages, too, it is told. The newest first. */
  readonly earlierGrants?: readonly string[] | undefined;
  /** How much it is told of what became of its messages here; default: the outcome. */
  readonly disclose?: Disclosure | undefined;
  readonly stopped: boolean;
  readonly draining?: Draining | undefined;
  /** Counts what was said of it, so that saying the same again has it tried again. */
  readonly revision: number;
  readonly at: number;
}

/** A way to routes that other nodes offer. */
export interface Way {
  /** The peer over which they are reached: its node's id, and our name for it. */
  readonly peer: string;
  readonly name: string;
  /** Domains, the nearest first, and tags: a blank between two. As frozen lists they would be half of what a route takes (JSC). */
  readonly path: string;
  readonly tags: string;
  readonly origin: string;
  readonly originDomain: string;
}

/** Where a route leads that another node offers. Routes that came together share their way: a table has tens of thousands. */
export interface ReachRow {
  readonly way: Way;
  /** Of what is offered: of an action, its schemas. */
  readonly digest: string;
  /** What its origin promises of asking twice. */
  readonly repeatable?: Repeatable | undefined;
}

/** Routes, and the row of each as it is kept; none where it is reached no more. Two lists: an object for each would be litter. */
export interface Reached {
  readonly routes: readonly string[];
  readonly rows: readonly (ReachRow | undefined)[];
}

export const peerTable = table<PeerRow>("peer");
/** Who may originate what, by the number of the entry in the list. */
export const ownersTable = table<readonly Owner[]>("routeOwners");
export const OWNERS = "owners";
/** By a peer's name: the connection that its session runs over. */
export const peerSessionTable = table<string>("peerSession", "session");
/** By route: `action:greet`. */
export const reachTable = table<ReachRow>("reach", "session");

/** What goes from peer to peer: as verbs of `peer`, and as the protocol's messages. */
export const FRAME_VERBS = {
  update: "update",
  keepalive: "keepalive",
  "end-of-table": "endOfTable",
  "route-refresh": "refresh",
  notification: "notify",
  close: "close",
} as const;
export type FrameType = keyof typeof FRAME_VERBS;

/** Rows that one message about routes changes, at most. */
export const MOST_REACHED = 1024;

export const peerFaults = {
  PEER_UNKNOWN: { status: 404, retryable: false, text: "There is no peer of that name; the nearest one is named." },
  PEER_EXISTS: {
    status: 409,
    retryable: false,
    text: "There is a peer of that name, or of that node; use peer.configure.",
  },
  PEER_INVALID: { status: 422, retryable: false, text: "A peer cannot be configured so; the text says why." },
  PEER_UNPROVED: {
    status: 401,
    retryable: false,
    text: "The node did not prove that it is a peer: both sides have to pin the other's key and have the pair's secret.",
  },
  PEER_SESSION_OVER: {
    status: 409,
    retryable: true,
    text: "The session that this was said in is over, or was never that peer's; open another.",
  },
  PEER_UNREACHABLE: {
    status: 503,
    retryable: true,
    text: "There is no session with the peer now; peer.show says why.",
  },
  ROUTE_NOT_EXPORTED: {
    status: 403,
    retryable: false,
    text: "The peer's export policy does not tell it of the route, so that it may not use it; the text names the clause.",
  },
  NODE_WITHOUT_FILES: {
    status: 409,
    retryable: false,
    text: "The node has no data directory to keep a secret in: use one of the environment or of a file (`env:`, `file:`).",
  },
} as const satisfies FaultTable;
