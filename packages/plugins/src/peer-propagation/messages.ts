// What peering can be asked, and what it notes by itself. No secret is in any of it (schema.ts).

import { command, isPin, query, signal } from "@capstan/orchestrator";
import { ownerSchema, routePolicySchema } from "@capstan/peer";
import { z } from "zod";
import { secretReference } from "../executor/secret/secret.ts";
import { explainMessages } from "./explain/explain-messages.ts";
import { NAME, nodeId, peerName } from "./names.ts";
import type { Reached } from "./schema.ts";
import { DISCLOSURES } from "./schema.ts";

const domainId = z.string().regex(NAME, "must be a domain's id");
const bytes32 = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, "must be 32 bytes in base64url");
const routeName = z.string().min(1).max(600);
const connection = z.string().min(1).max(200);
const frame = z.unknown();
const count = z.number().int().min(0);
const limits = z.strictObject({
  routes: z.number().int().min(1).max(10_000_000).optional(),
  then: z.enum(["warn", "drop", "restart", "disable"]).optional(),
  restartAfter: z.number().int().min(1000).max(86_400_000).optional(),
  pathLength: z.number().int().min(1).max(1024).optional(),
  damping: z.boolean().optional(),
  publications: z.number().int().min(1).max(1_000_000).optional(),
  calls: z.number().int().min(1).max(1_000_000).optional(),
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
  disclose: z.enum(DISCLOSURES).optional(),
};
const policies = { import: routePolicySchema.import, export: routePolicySchema.export };
const about = { about: "id" as const, target: ({ name }: { readonly name: string }): string => name };
const now = z.boolean().optional().describe("end the session at once, whatever is in flight");
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
        summary: "Invite a node to peer: the first node that proves the invitation's secret in time becomes the peer.",
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
        summary: "Add a peer: its node id, its keys, and the pair secret.",
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
        summary: "Remove a peer: drain its session as peer.stop does, withdraw its routes, and revoke its grant.",
        data: z.strictObject({ name: peerName, now }),
        result: named,
        ...about,
      }),
      start: command({
        summary: "Start a stopped peer, or try again to connect to one that is not stopped.",
        data: z.strictObject({ name: peerName }),
        result: named,
        ...about,
      }),
      stop: command({
        summary:
          "Stop a peer until peer.start: withdraw its routes, and end its session once the calls in flight have ended.",
        data: z.strictObject({ name: peerName, now }),
        result: named,
        ...about,
      }),
      resend: signal({
        summary: "Ask a peer to send its whole table again.",
        data: z.strictObject({ name: peerName }),
        result: named,
        ...about,
      }),
      keep: signal({
        summary: "Store a pair secret in a file of the node, and return a reference to it.",
        // Exchanged here, at the edge: what is decided, and recorded where it is refused, holds a token of this process alone.
        data: z.strictObject({ name: peerName, secret: bytes32.transform(hold) }),
        result: z.object({ secret: z.object({ secret: z.string() }), id: z.string() }),
        ...about,
      }),
      identity: query({
        summary: "Show this node's id, domain and key, which its peers need to configure it.",
        data: z.strictObject({}),
        result: z.object({ node: z.string(), name: z.string(), domain: z.string(), key: z.string() }),
      }),
      list: query({
        summary: "List the peers and their states.",
        data: z.strictObject(page),
        result: listed,
      }),
      show: query({
        summary: "Show a peer: configuration, session, routes in both directions.",
        data: z.strictObject({ name: peerName }),
        result: z.unknown(),
        ...about,
      }),
      ...explainMessages,
      open: signal({
        summary: "(peers) Begin an authenticated session: this node sends its frames to the callback, its table first.",
        data: z.strictObject({ session: connection, callback: connection as unknown as z.ZodType<string, unknown> }),
        result: z.unknown(),
        live: ["callback"],
      }),
      update: carried("(peers) Announce and withdraw routes."),
      keepalive: carried("(peers) Keep the session alive."),
      endOfTable: carried("(peers) Say that the whole table has been sent."),
      refresh: carried("(peers) Ask for the whole table again, or announce that it follows."),
      notify: carried("(peers) Report an error, and end the session."),
      close: carried("(peers) End the session without an error."),
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
      updated: command({
        internal: true,
        summary: "The results of a peer's updates: counts of routes, and a digest of the session's updates so far.",
        data: z.strictObject({
          ...{ name: peerName, node: nodeId, seq: count, digest: bytes32 },
          ...{ announced: count, withdrawn: count, filtered: count, malformed: count, limited: count, frames: count },
        }),
        result: z.unknown(),
      }),
      drained: command({
        internal: true,
        summary: "The calls in flight of a peer that is being stopped have ended, or their time is over.",
        data: z.strictObject({ name: peerName }),
        result: z.unknown(),
      }),
      session: signal({
        internal: true,
        summary: "Which connection a peer's session runs over.",
        data: z.strictObject({ name: peerName, session: connection.nullable() }),
        result: z.unknown(),
      }),
      reach: signal({
        ...{ internal: true, asIs: true },
        summary: "The peers over which other nodes' routes are reached.",
        // By reach.ts alone, of what the protocol has checked: a table of 50,000 routes is noted in 50 of these.
        data: z.strictObject({
          routes: z.custom<Reached["routes"]>(Array.isArray),
          rows: z.custom<Reached["rows"]>(Array.isArray),
        }),
        result: z.unknown(),
      }),
    },
    route: {
      list: query({
        summary: "List routes, this node's own and others': the best path to each, or all paths.",
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
        summary: "Show all paths to a route, the best first, filtered ones last.",
        data: z.strictObject({ route: routeName }),
        result: z.object({ route: z.string(), paths: z.array(z.unknown()) }),
      }),
      owners: query({
        summary: "Show the owner list: which nodes may offer which routes.",
        data: z.strictObject({}),
        result: z.object({ owners: z.array(z.unknown()) }),
      }),
      own: command({
        summary:
          "Replace the owner list: a route that an entry covers is accepted only from the nodes of such entries.",
        data: z.strictObject({ owners: z.array(ownerSchema).max(10_000) }),
        result: z.object({ owners: z.number() }),
      }),
    },
  };
}
