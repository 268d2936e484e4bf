// What peering keeps and can be asked: peers and how they are configured, in the log; which session is whose and where routes
// lead, in session tables. No secret is in any of it: a peer's is a reference, and is read when it is used.

import { command, type FaultTable, isPin, type Principal, query, signal, table } from "@capstan/orchestrator";
import { type Owner, ownerSchema, type RoutePolicy, routePolicySchema } from "@capstan/peer";
import { z } from "zod";
import { secretReference } from "../executor/secret.ts";

/** What one peer may cost, where that is not @capstan/peer's `defaultLimits`. */
export interface Limits {
  readonly routes?: number | undefined;
  readonly then?: "warn" | "drop" | "restart" | "disable" | undefined;
  /** Milliseconds. */
  readonly restartAfter?: number | undefined;
  readonly pathLength?: number | undefined;
  readonly damping?: boolean | undefined;
}

/** An invitation that nobody has taken yet. */
export interface Invite {
  /** The id of the pair's secret (@capstan/peer's `secretId`): whoever takes the invitation names it. */
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
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
  readonly stopped: boolean;
  /** Counts what was said of it, so that saying the same again has it tried again. */
  readonly revision: number;
  readonly at: number;
}

/** Where a route leads that another node offers. */
export interface ReachRow {
  /** The peer over which it is reached: its node's id, and our name for it. */
  readonly peer: string;
  readonly name: string;
  /** Domains, the nearest first. */
  readonly path: readonly string[];
  readonly tags: readonly string[];
  /** Of what is offered: of an action, its schemas. */
  readonly digest: string;
  readonly origin: string;
  readonly originDomain: string;
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
export const MOST_REACHED = 256;

/** An operator's name for a peer; also how the peer is called as a principal, behind a prefix. */
const peerName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be letters, digits and . _ - (64 at most)");
const nodeId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be a node's id, like n-7f3a1b2c");
const domainId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be a domain's id");
const bytes32 = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, "must be 32 bytes in base64url");
const routeName = z.string().min(1).max(600);
const connection = z.string().min(1).max(200);
const frame = z.unknown();
const limits = z.strictObject({
  routes: z.number().int().min(1).max(10_000_000).optional(),
  then: z.enum(["warn", "drop", "restart", "disable"]).optional(),
  restartAfter: z.number().int().min(1000).max(86_400_000).optional(),
  pathLength: z.number().int().min(1).max(1024).optional(),
  damping: z.boolean().optional(),
});
const keys = z.array(bytes32).min(1).max(2, "must be the current key, and the next while it is rotated");
const secrets = z.array(secretReference).min(1).max(2, "must be the current secret, and the next while it is rotated");
const address = z.string().min(1).max(2000);

const configured = {
  domain: domainId.optional(),
  address: address.optional(),
  pin: z.string().max(200).refine(isPin, "must be a certificate's pin, like sha256-…").optional(),
  limits: limits.optional(),
  required: z.array(z.string().min(1).max(64)).max(32).optional(),
};
const policies = { import: routePolicySchema.import, export: routePolicySchema.export };
const about = { about: "id" as const, target: ({ name }: { readonly name: string }): string => name };
const named = z.object({ name: z.string() });
const granted = z.object({ name: z.string(), grant: z.string() });
const page = {
  after: z.string().max(600).optional(),
  limit: z.number().int().min(1).max(1000).optional(),
};
const listed = z.object({ items: z.array(z.unknown()), next: z.string().optional() });

/** A frame of a session. Numbers and types are the protocol's to check (@capstan/peer, wire/). */
const carried = (summary: string) =>
  signal({ summary, data: z.strictObject({ session: connection, frame }), result: z.unknown() });

/** @param hold keeps a secret in memory and answers what stands for it in the message */
export function peerMessages(hold: (secret: string) => string) {
  return {
    peer: {
      invite: command({
        summary:
          "Invite a node to peer: it is known by the secret that it is given, once, until the invitation expires.",
        data: z.strictObject({
          name: peerName,
          secrets,
          secretId: bytes32,
          expires: z.number().int().positive(),
          ...policies,
          ...configured,
        }),
        result: granted,
        ...about,
      }),
      add: command({
        summary: "Add a peer: its node, its key, and the secret that both have.",
        data: z.strictObject({ name: peerName, node: nodeId, keys, secrets, ...policies, ...configured }),
        result: granted,
        ...about,
      }),
      configure: command({
        summary: "Change how a peer is configured. What is not said stays.",
        data: z.strictObject({
          name: peerName,
          keys: keys.optional(),
          secrets: secrets.optional(),
          import: routePolicySchema.import.optional(),
          export: routePolicySchema.export.optional(),
          ...configured,
        }),
        result: granted,
        ...about,
      }),
      remove: command({
        summary: "Remove a peer: its session ends, its routes go, and its grant is revoked.",
        data: z.strictObject({ name: peerName }),
        result: named,
        ...about,
      }),
      start: command({
        summary: "Start a peer that was stopped; one that was not is tried again.",
        data: z.strictObject({ name: peerName }),
        result: named,
        ...about,
      }),
      stop: command({
        summary: "Stop a peer: its session ends and its routes go, until it is started.",
        data: z.strictObject({ name: peerName }),
        result: named,
        ...about,
      }),
      resend: signal({
        summary: "Have a peer send its whole table again.",
        data: z.strictObject({ name: peerName }),
        result: named,
        ...about,
      }),
      keep: signal({
        summary: "Keep a pair's secret in a file of the node's, and answer its reference.",
        // Exchanged here, at the edge: what is decided, and recorded where it is refused, holds a token of this process alone.
        data: z.strictObject({ name: peerName, secret: bytes32.transform(hold) }),
        result: z.object({ secret: z.object({ secret: z.string() }), id: z.string() }),
        ...about,
      }),
      identity: query({
        summary: "Say who this node is to its peers: what they have to be configured with.",
        data: z.strictObject({}),
        result: z.object({ node: z.string(), name: z.string(), domain: z.string(), key: z.string() }),
      }),
      list: query({
        summary: "List peers, and how it is with each.",
        data: z.strictObject(page),
        result: listed,
      }),
      show: query({
        summary: "Show a peer: configuration, session, routes in both directions.",
        data: z.strictObject({ name: peerName }),
        result: z.unknown(),
        ...about,
      }),
      open: signal({
        summary: "(peers) Begin a session that was proved: what we have to say goes to the callback, the table first.",
        data: z.strictObject({ session: connection, callback: connection as unknown as z.ZodType<string, unknown> }),
        result: z.unknown(),
        live: ["callback"],
      }),
      update: carried("(peers) Announce and withdraw routes."),
      keepalive: carried("(peers) Say that the session lives."),
      endOfTable: carried("(peers) Say that the whole table has been sent."),
      refresh: carried("(peers) Ask for the whole table again, or say that it begins."),
      notify: carried("(peers) Say what was wrong, and end the session."),
      close: carried("(peers) End the session: nothing was wrong."),
      accept: command({
        internal: true,
        summary: "An invitation was taken, by a node that has proved the secret and its key.",
        data: z.strictObject({ name: peerName, node: nodeId, key: bytes32, secret: bytes32 }),
        result: named,
      }),
      established: command({
        internal: true,
        summary: "A session with a peer was established.",
        data: z.strictObject({
          name: peerName,
          node: nodeId,
          session: connection,
          domain: domainId,
          epoch: z.number(),
          dialled: z.boolean(),
        }),
        result: z.unknown(),
      }),
      lost: command({
        internal: true,
        summary: "A session with a peer ended.",
        data: z.strictObject({ name: peerName, node: nodeId, graceful: z.boolean(), reason: z.string() }),
        result: z.unknown(),
      }),
      session: signal({
        internal: true,
        summary: "Which connection a peer's session runs over.",
        data: z.strictObject({ name: peerName, session: connection.nullable() }),
        result: z.unknown(),
      }),
      reach: signal({
        internal: true,
        summary: "Over whom routes of other nodes are reached.",
        data: z.strictObject({
          changes: z
            .array(
              z.tuple([
                routeName,
                z
                  .strictObject({
                    ...{ peer: nodeId, name: peerName, path: z.array(domainId), tags: z.array(z.string()) },
                    ...{ digest: z.string(), origin: nodeId, originDomain: domainId },
                  })
                  .nullable(),
              ]),
            )
            .max(MOST_REACHED),
        }),
        result: z.unknown(),
      }),
    },
    route: {
      list: query({
        summary: "List the routes of other nodes and our own: the best way to each, or all that there are.",
        data: z.strictObject({
          ...page,
          /** Of this peer alone. */
          peer: peerName.optional(),
          /** Those that were filtered, and by what. */
          filtered: z.boolean().optional(),
        }),
        result: listed,
      }),
      show: query({
        summary: "Show all ways to a route, the best first, and those that were filtered.",
        data: z.strictObject({ route: routeName }),
        result: z.object({ route: z.string(), paths: z.array(z.unknown()) }),
      }),
      owners: query({
        summary: "Show who may offer which routes.",
        data: z.strictObject({}),
        result: z.object({ owners: z.array(z.unknown()) }),
      }),
      own: command({
        summary: "Say who may offer which routes: what an entry covers is closed to everybody else.",
        data: z.strictObject({ owners: z.array(ownerSchema).max(10_000) }),
        result: z.object({ owners: z.number() }),
      }),
    },
  };
}

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
