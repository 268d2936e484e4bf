// Peering's tables and faults: configured peers in a logged table, sessions and reachable routes in session tables. None of them holds a secret: a
// peer's secret is a reference, which is read when needed.

import { type FaultTable, type Principal, type Repeatable, table } from "@capstan/orchestrator";
import type { Owner, RoutePolicy, Words } from "@capstan/peer";

/** The limits of one peer, where they differ from @capstan/peer's `defaultLimits`. */
export interface Limits {
  readonly routes?: number | undefined;
  readonly then?: "warn" | "drop" | "restart" | "disable" | undefined;
  /** Milliseconds. */
  readonly restartAfter?: number | undefined;
  readonly pathLength?: number | undefined;
  readonly damping?: boolean | undefined;
  /** How many publications a second are imported through it (topics/pace.ts). */
  readonly publications?: number | undefined;
  /** How many calls of it may be open (forward/open-calls.ts). */
  readonly calls?: number | undefined;
}

/** How much a peer is told of what became of its messages here. */
export const DISCLOSURES = ["nothing", "outcome", "clauses"] as const;
export type Disclosure = (typeof DISCLOSURES)[number];
export const DEFAULT_DISCLOSURE: Disclosure = "outcome";

/** An invitation that was not taken yet. */
export interface Invite {
  /** The id of the pair's secret (@capstan/peer's `secretId`), which a node that takes the invitation names. */
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** The peer is being stopped: nothing new goes over its session, which ends when calls in flight have ended. */
export interface Draining {
  /** When it ends in any case, in milliseconds since the epoch. */
  readonly until: number;
  /** Whether the peer is then removed. */
  readonly removes?: boolean | undefined;
  /** Ids of the messages that wait for it. */
  readonly waiting: readonly string[];
}

/** A configured peer, and the principal who configured it and gave it its rights. */
export interface PeerRow extends Principal {
  readonly name: string;
  /** Its node id and pinned keys; absent while it is only invited. */
  readonly node?: string | undefined;
  readonly keys: readonly string[];
  readonly invite?: Invite | undefined;
  /** Where to dial it; absent: it dials us. */
  readonly address?: string | undefined;
  /** The pin of the certificate that is expected there. */
  readonly pin?: string | undefined;
  readonly domain?: string | undefined;
  /** References to the pair's secrets: the current one, and the next during a rotation. */
  readonly secrets: readonly { readonly secret: string }[];
  readonly import: RoutePolicy;
  readonly export: RoutePolicy;
  readonly limits: Limits;
  readonly required: readonly string[];
  /** The id of the grant under which it may send messages here. */
  readonly peerGrant: string;
  readonly allow: readonly string[];
  /** Its earlier grants, newest first: it is also told the outcomes of messages that it sent under those. */
  readonly earlierGrants?: readonly string[] | undefined;
  /** How much it is told about its messages here; default: the outcome. */
  readonly disclose?: Disclosure | undefined;
  readonly stopped: boolean;
  readonly draining?: Draining | undefined;
  /** Counts configurations, so that repeating the same one makes the node try the peer again. */
  readonly revision: number;
  readonly at: number;
}

/** A way to routes that other nodes offer. */
export interface Way {
  /** The peer through which they are reached: its node id, and our name for it. */
  readonly peer: string;
  readonly name: string;
  /** Domains, the nearest first. */
  readonly path: Words;
  readonly tags: Words;
  readonly origin: string;
  readonly originDomain: string;
}

/** A route that another node offers. Routes that came together share their `Way` object: a table has tens of thousands. */
export interface ReachRow {
  readonly way: Way;
  /** The digest of what is offered: for an action, of its schemas. */
  readonly digest: string;
  /** What its origin promises of repeats. */
  readonly repeatable?: Repeatable | undefined;
}

/** Routes, and the new row of each; `undefined` where it is no longer reached. Two arrays, because an object for each would be garbage. */
export interface Reached {
  readonly routes: readonly string[];
  readonly rows: readonly (ReachRow | undefined)[];
}

export const peerTable = table<PeerRow>("peer");
/** The owner list. */
export const ownersTable = table<readonly Owner[]>("routeOwners");
export const OWNERS = "owners";
/** By peer name: the connection of its session. */
export const peerSessionTable = table<string>("peerSession", "session");
/** By route: `action:greet`. */
export const reachTable = table<ReachRow>("reach", "session");

/** The verbs of `peer` that carry frames, and the protocol's message types. */
export const FRAME_VERBS = {
  update: "update",
  keepalive: "keepalive",
  "end-of-table": "endOfTable",
  "route-refresh": "refresh",
  notification: "notify",
  close: "close",
} as const;
export type FrameType = keyof typeof FRAME_VERBS;

/** The most rows that one message about routes changes. */
export const MOST_REACHED = 1024;

/** The faults of the plugin peer-propagation. */
export const peerFaults = {
  PEER_UNKNOWN: { status: 404, retryable: false, text: "There is no peer of that name; the nearest one is named." },
  PEER_EXISTS: {
    status: 409,
    retryable: false,
    text: "There is a peer of that name, or of that node; use peer.configure.",
  },
  PEER_INVALID: { status: 422, retryable: false, text: "The peer's configuration is invalid; the text says why." },
  PEER_UNPROVED: {
    status: 401,
    retryable: false,
    text: "The node did not authenticate itself as a peer: both sides have to pin the other's key and have the pair secret.",
  },
  PEER_SESSION_OVER: {
    status: 409,
    retryable: true,
    text: "The session of this message has ended, or was never that peer's; open another.",
  },
  PEER_UNREACHABLE: {
    status: 503,
    retryable: true,
    text: "There is no session with the peer now; peer.show says why.",
  },
  ROUTE_NOT_EXPORTED: {
    status: 403,
    retryable: false,
    text: "The route is not exported to the peer, so that the peer may not use it; the text names the clause of the export policy.",
  },
  NODE_WITHOUT_FILES: {
    status: 409,
    retryable: false,
    text: "The node has no data directory to keep a secret in: use one of the environment or of a file (`env:`, `file:`).",
  },
} as const satisfies FaultTable;
