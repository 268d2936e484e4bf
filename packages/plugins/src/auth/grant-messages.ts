// How principals and grants are made, narrowed, sealed, redeemed and ended. Ids of grants count upwards: `g-2`.

import { type Envelope, type Fault, type Message, refuse, type State } from "@capstan/orchestrator";
import { isFault, type Limits, lineage, within } from "./grant.ts";
import { credentialTable, type GrantRow, grantTable, isReserved, type PrincipalRow, principalTable } from "./schema.ts";

type Made = { readonly kind: "made"; readonly data: unknown; readonly state: State };
type Decided = Made | ReturnType<typeof refuse> | undefined;

/** What a message about principals or grants comes to under `grant`; `undefined` where it is a query. */
export function decideGrant(message: Message, envelope: Envelope, state: State, grant: GrantRow): Decided {
  const { data } = message;
  switch (`${message.resource}.${message.action}`) {
    case "principal.create": {
      const { name } = data as { name: string };
      if (isReserved(name)) return reserved(name);
      const taken = grant.parent !== undefined && isSomebodyElse(state, name, envelope.principal);
      if (taken || state.get(principalTable, name) !== undefined)
        return refuse("PRINCIPAL_EXISTS", `there is a principal "${name}" already`);
      return made({ name }, state.put(principalTable, name, principal(name, envelope)));
    }
    case "principal.revoke": {
      const { name } = data as { name: string };
      const row = state.get(principalTable, name);
      if (row === undefined)
        return refuse("PRINCIPAL_UNKNOWN", `there is no principal "${name}"; principal.list names all`);
      return made({ name }, state.put(principalTable, name, { ...row, revoked: envelope.at }));
    }
    case "grant.create": {
      const asked = data as Limits & { principal: string; credential?: string };
      return make(state, envelope, grant, asked.principal, asked, asked.credential);
    }
    case "grant.lend":
      return lend(state, envelope, data as Lent);
    case "grant.attenuate":
      return make(state, envelope, grant, envelope.principal, data as Limits, undefined);
    case "grant.seal":
      return seal(state, envelope, grant, data as { grant?: string; credential: string });
    case "grant.redeem": {
      const row = state.get(credentialTable, (data as { secret: string }).secret);
      const sealed = row?.kind === "seal" ? state.get(grantTable, row.grant) : undefined;
      if (sealed === undefined || isReserved(sealed.principal))
        return refuse("CREDENTIAL_INVALID", "no grant was sealed under this string");
      const alive = lineage(state, sealed.id, envelope.at);
      if (isFault(alive)) return refuse(alive.code, alive.message);
      return made({ principal: sealed.principal, grant: sealed.id }, state);
    }
    case "grant.revoke":
      return revoke(state, envelope, grant, (data as { grant: string }).grant);
    default:
      return undefined;
  }
}

function made(data: unknown, state: State): Made {
  return { kind: "made", data, state };
}

function principal(name: string, { principal: by, at }: Envelope): PrincipalRow {
  return { name, by, at };
}

function make(...[state, envelope, parent, name, ...more]: Parameters<typeof create>): Decided {
  return isReserved(name) ? reserved(name) : create(state, envelope, parent, name, ...more);
}

/** What `grant.lend` is asked. */
export interface Lent {
  readonly principal: string;
  readonly allow: readonly string[];
  readonly under: string;
  readonly by: string;
  readonly may?: readonly string[];
}

/** For a name that nobody but the node gives. How wide it is, and how long it lives, is its parent's to say all the same. */
function lend(state: State, envelope: Envelope, { principal: name, allow, under, by, may }: Lent): Decided {
  const parents = lineage(state, under, envelope.at);
  if (isFault(parents)) return refuse(parents.code, parents.message);
  return create(state, { ...envelope, principal: by, may }, parents[0] as GrantRow, name, { allow }, undefined);
}

/** Why `grant.lend` would be refused, for those who do what makes no sense without it. */
export function whyNotLent(state: State, envelope: Envelope, lent: Lent): Fault | undefined {
  const decided = lend(state, envelope, lent);
  return decided?.kind === "refused" ? decided.error : undefined;
}

function create(
  state: State,
  envelope: Envelope,
  parent: GrantRow,
  name: string,
  asked: Limits,
  credential: string | undefined,
): Decided {
  const limits = within(parent, envelope.may, asked);
  if ("code" in limits) return refuse(limits.code, limits.message);
  // Whoever holds the grant acts as its principal. Only the roots, the first start's grant and the node's, may name anyone; and
  // whoever lends a name that is the node's does it for the node.
  const names = parent.parent === undefined || name === envelope.principal || isReserved(name);
  if (!names && isSomebodyElse(state, name, envelope.principal))
    return refuse("GRANT_WIDER", `principal: ${parent.id} names no one but ${envelope.principal} and whom they made`);
  if (state.get(principalTable, name)?.revoked !== undefined) return refuse("GRANT_REVOKED", `${name} was revoked`);
  if (credential !== undefined && state.get(credentialTable, credential) !== undefined) return taken();
  const id = nextGrantId(state);
  const row: GrantRow = { id, principal: name, parent: parent.id, ...limits, by: envelope.principal, at: envelope.at };
  let after = state.put(grantTable, id, row);
  if (state.get(principalTable, name) === undefined) after = after.put(principalTable, name, principal(name, envelope));
  if (credential !== undefined)
    after = after.put(credentialTable, credential, { grant: id, kind: "bearer", at: envelope.at });
  return made({ principal: name, grant: id }, after);
}

/**
 * Whether `name` is of somebody whom `caller` did not make. Whoever embeds the node acts without a row, under the node's own
 * grant: their names are taken too, or whoever made a principal of that name would stand in for their maker.
 */
function isSomebodyElse(state: State, name: string, caller: string): boolean {
  const row = state.get(principalTable, name);
  if (row !== undefined) return row.by !== caller;
  for (const [, { by }] of state.rows(principalTable)) if (by === name) return true;
  return false;
}

function seal(state: State, envelope: Envelope, own: GrantRow, asked: { grant?: string; credential: string }): Decided {
  const id = asked.grant ?? own.id;
  const target = state.get(grantTable, id);
  if (target === undefined || !(own.parent === undefined || isUnder(state, target, own)))
    return refuse("GRANT_UNKNOWN", `${id} is not ${own.id}, nor made under it`);
  // Whoever presented the string would be that peer.
  if (isReserved(target.principal)) return reserved(target.principal);
  if (!target.delegable && target.id === own.id) return refuse("GRANT_NOT_DELEGABLE", `${id} may not be passed on`);
  // A scope that was narrowed further cannot be sealed: the string would be as wide as the grant.
  if (envelope.may !== undefined)
    return refuse("GRANT_NOT_DELEGABLE", `a scope narrowed to ${envelope.may.join(", ")} cannot be sealed`);
  if (state.get(credentialTable, asked.credential) !== undefined) return taken();
  const after = state.put(credentialTable, asked.credential, { grant: id, kind: "seal", at: envelope.at });
  return made({ principal: target.principal, grant: id }, after);
}

function revoke(state: State, envelope: Envelope, own: GrantRow, id: string): Decided {
  const target = state.get(grantTable, id);
  if (target === undefined || !(own.parent === undefined || isUnder(state, target, own)))
    return refuse("GRANT_UNKNOWN", `${id} is not ${own.id}, nor made under it`);
  let derived = 0;
  for (const [, grant] of state.rows(grantTable)) if (grant.id !== id && isUnder(state, grant, target)) derived++;
  const after = target.revoked === undefined ? state.put(grantTable, id, { ...target, revoked: envelope.at }) : state;
  return made({ grant: id, derived }, after);
}

/** Whether `grant` is `ancestor`, or was made under it. */
function isUnder(state: State, grant: GrantRow, ancestor: GrantRow): boolean {
  for (let one: GrantRow | undefined = grant; one !== undefined; ) {
    if (one.id === ancestor.id || one.parent === ancestor.id) return true;
    one = one.parent === undefined ? undefined : state.get(grantTable, one.parent);
  }
  return false;
}

/** Grants are never removed, so that counting them is numbering them. `g-1` is the first start's, made or not. */
export function nextGrantId(state: State): string {
  let last = 1;
  for (const [id] of state.rows(grantTable)) last = Math.max(last, Number(id.slice(2)));
  return `g-${last + 1}`;
}

function reserved(name: string) {
  const text = `"${name}": names that begin with "peer." are those of peers; peer.add and peer.invite give them what they may`;
  return refuse("PRINCIPAL_RESERVED", text);
}

function taken() {
  return refuse("CREDENTIAL_TAKEN", "this credential is in use; make another of 32 random bytes");
}
