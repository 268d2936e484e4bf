// Decides how operators configure peers. A peer's rights here are a grant that is made with the peer, under the operator's own, and ends with it.
// Pure.

import {
  type Fault,
  type FollowUp,
  next,
  type PluginContext,
  printable,
  type Right,
  refuse,
  type State,
} from "@capstan/orchestrator";
import type { RoutePolicy } from "@capstan/peer";
import { isFault, lineage } from "../../auth/grant.ts";
import { type Lent, nextGrantId, whyNotLent } from "../../auth/grant-messages.ts";
import { parseClause } from "../../clause.ts";
import { rightOf } from "../../executor/secret/secret.ts";
import type { Context } from "../context.ts";
import { principalOf } from "../names.ts";
import type { Disclosure } from "../schema.ts";
import { type Limits, OWNERS, ownersTable, type PeerRow, peerTable } from "../schema.ts";
import { unknownPeer } from "../unknown-peer.ts";
import { clausesOf, MOST_CLAUSES } from "./rights.ts";

interface Asked {
  readonly name: string;
  readonly node?: string;
  readonly keys?: readonly string[];
  readonly secrets?: readonly { readonly secret: string }[];
  readonly secretId?: string;
  readonly expires?: number;
  readonly import?: RoutePolicy;
  readonly export?: RoutePolicy;
  readonly domain?: string;
  readonly address?: string;
  readonly pin?: string;
  readonly limits?: Limits;
  readonly required?: readonly string[];
  readonly disclose?: Disclosure;
}

/** How many earlier grants of a peer are kept: it is not told about messages under older ones. */
const MOST_EARLIER_GRANTS = 16;

/** @param domain ours */
export function decideConfiguration(context: Context, domain: string) {
  const { message, state } = context;
  const asked = message.data as Asked;
  switch (message.action) {
    case "invite":
    case "add":
      return add(context, asked, domain);
    case "configure":
      return configure(context, asked, domain);
    default:
      return state.get(peerTable, asked.name) === undefined
        ? unknown(context, asked.name)
        : next({ data: { name: asked.name } });
  }
}

export function decideOwners({ message, state }: Pick<PluginContext, "message" | "state">) {
  if (message.action !== "own") return next();
  const { owners } = message.data as { readonly owners: never[] };
  return next({ data: { owners: owners.length }, state: state.put(ownersTable, OWNERS, owners) });
}

function add(context: Context, asked: Asked, domain: string) {
  const { envelope, state } = context;
  const { name, node } = asked;
  if (state.get(peerTable, name) !== undefined)
    return refuse("PEER_EXISTS", `there is a peer "${name}"; use peer.configure, or peer.remove first`);
  if (node !== undefined) {
    if (node === envelope.node) return refuse("PEER_INVALID", `${node} is this node itself`);
    const other = byNode(state, node);
    if (other !== undefined) return refuse("PEER_EXISTS", `${node} is the peer "${other.name}" already`);
  }
  if (asked.expires !== undefined && asked.expires <= envelope.at)
    return refuse("PEER_INVALID", `the invitation would have expired at ${new Date(asked.expires).toISOString()}`);
  const { principal, grant, may, at } = envelope;
  const invite =
    asked.secretId === undefined ? {} : { invite: { secret: asked.secretId, expires: asked.expires as number } };
  const policies = { import: asked.import as RoutePolicy, export: asked.export as RoutePolicy };
  const allow = clausesOf(policies.export, asked.domain === domain);
  const row: PeerRow = {
    ...{ name, principal, grant, at, ...policies, ...invite },
    ...(may === undefined ? {} : { may }),
    ...(node === undefined ? {} : { node }),
    keys: asked.keys ?? [],
    ...places(asked),
    secrets: asked.secrets as PeerRow["secrets"],
    limits: asked.limits ?? {},
    required: asked.required ?? [],
    // The id of the grant that the follow-up makes, which is decided right after this.
    peerGrant: nextGrantId(state),
    allow,
    stopped: false,
    revision: 1,
  };
  const unfit = refusal(context, row) ?? whyNotLent(state, envelope, lent(context, row));
  if (unfit !== undefined) return refused(unfit);
  const data = { name, grant: row.peerGrant };
  return next({ data, state: state.put(peerTable, name, row), then: [lend(context, row)] });
}

function configure(context: Context, asked: Asked, domain: string) {
  const { state, envelope } = context;
  const before = state.get(peerTable, asked.name);
  if (before === undefined) return unknown(context, asked.name);
  if (before.node === undefined && asked.keys !== undefined)
    return refuse("PEER_INVALID", `"${asked.name}" is invited: its key is learned when it comes`);
  const { principal, grant, may } = envelope;
  const policies = { import: asked.import ?? before.import, export: asked.export ?? before.export };
  const allow = clausesOf(policies.export, (asked.domain ?? before.domain) === domain);
  // Its rights are unchanged: sessions stay, and so does the grant, as long as it is valid.
  const alive = !isFault(lineage(state, before.peerGrant, envelope.at));
  const same = alive && allow.length === before.allow.length && allow.every((clause, i) => clause === before.allow[i]);
  const row: PeerRow = {
    ...before,
    // Secrets are read in the name of the operator who set them last.
    ...(asked.secrets === undefined ? {} : { principal, grant, ...(may === undefined ? {} : { may }) }),
    ...policies,
    ...places(asked),
    keys: asked.keys ?? before.keys,
    secrets: asked.secrets ?? before.secrets,
    limits: asked.limits ?? before.limits,
    required: asked.required ?? before.required,
    peerGrant: same ? before.peerGrant : nextGrantId(state),
    ...(same
      ? {}
      : { earlierGrants: [before.peerGrant, ...(before.earlierGrants ?? [])].slice(0, MOST_EARLIER_GRANTS) }),
    allow,
    revision: before.revision + 1,
  };
  const unfit = refusal(context, row) ?? (same ? undefined : whyNotLent(state, envelope, lent(context, row)));
  if (unfit !== undefined) return refused(unfit);
  return next({
    data: { name: row.name, grant: row.peerGrant },
    state: state.put(peerTable, row.name, row),
    then: same ? [] : [lend(context, row), revoke(before)],
  });
}

function places({ domain, address, pin, disclose }: Asked) {
  return {
    ...(domain === undefined ? {} : { domain }),
    ...(address === undefined ? {} : { address }),
    ...(pin === undefined ? {} : { pin }),
    ...(disclose === undefined ? {} : { disclose }),
  };
}

/** Why the operator may not: they can give a peer no more than they have themselves, and need the right to its secrets. */
function refusal({ needs: { authority } }: Context, { name, secrets, allow }: PeerRow): Fault | undefined {
  for (const { secret } of secrets) {
    const why = isOwnFile(secret) ? undefined : authority.allows(rightOf(secret));
    if (why !== undefined) return why;
  }
  const grants = authority.allows({ resource: "grant", verb: "create", name: principalOf(name) });
  if (grants !== undefined) return grants;
  if (allow.length > MOST_CLAUSES) {
    const text = `its export comes to ${allow.length} clauses of a grant, and ${MOST_CLAUSES} is the most; use prefixes`;
    return { code: "PEER_INVALID", message: text };
  }
  for (const text of allow) {
    const clause = parseClause(text);
    if (clause === undefined)
      return { code: "PEER_INVALID", message: `its export: "${printable(text)}" cannot be granted` };
    const right: Right = { resource: clause.resource, verb: clause.verb, name: clause.name ?? "*" };
    const why = authority.allows(right);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Whether a reference is to a file that `peer.keep` wrote, which holds only a peer's secret. */
export function isOwnFile(reference: string): boolean {
  return /^file:peers\/[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.secret$/.test(reference);
}

/** The peer's grant: for its principal, within the operator's grant, with which it ends. */
function lent({ envelope: { principal: by, grant: under, may } }: Context, { name, allow }: PeerRow): Lent {
  return { principal: principalOf(name), allow, under, by, ...(may === undefined ? {} : { may }) };
}

/** Asked before whether it may be (`whyNotLent`): a peer that is configured and has no grant has somebody else's next one. */
function lend(context: Context, row: PeerRow): FollowUp {
  return { message: { resource: "grant", action: "lend", data: lent(context, row) } };
}

/** Revokes the peer's grant in the node's own name: the operator who removes a peer need not be the one who added it. */
export function revoke({ peerGrant }: PeerRow): FollowUp {
  return { message: { resource: "grant", action: "revoke", data: { grant: peerGrant } } };
}

export function byNode(state: Pick<State, "rows">, node: string): PeerRow | undefined {
  for (const [, row] of state.rows(peerTable)) if (row.node === node) return row;
  return undefined;
}

function refused({ code, message, details }: Fault) {
  return refuse(code, message, { details });
}

export function unknown({ state }: Pick<Context, "state">, name: string) {
  return refused(
    unknownPeer(
      name,
      [...state.rows(peerTable)].map(([one]) => one),
    ),
  );
}
