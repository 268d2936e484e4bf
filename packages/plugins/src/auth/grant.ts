// Whether a grant is alive, covers what was asked, and how wide one made under it may be. Pure functions of the state.

import { type Fault, fault, NODE_GRANT, namespaceOf, type Principal, refuse, type State } from "@capstan/orchestrator";
import { type Asked, covers, firstMatch, formatAsked, mismatch, namespaceCovers, parseClause } from "../clause.ts";
import { type GrantRow, grantTable, principalTable } from "./schema.ts";

/** What the node itself and whoever embeds it act under: everything, for ever. */
export const NODE: GrantRow = Object.freeze({
  id: NODE_GRANT,
  principal: "",
  allow: ["*"],
  read: ["*"],
  write: ["*"],
  delegable: true,
  by: "",
  at: 0,
});

/** Grants are made under grants; deeper than this is a mistake. */
const MOST_GENERATIONS = 32;

/** The grant and those that it was made under, nearest first; or why it is no good any more at `at`. */
export function lineage(state: Pick<State, "get">, id: string, at: number): readonly GrantRow[] | Fault {
  if (id === NODE_GRANT) return [NODE];
  const grants: GrantRow[] = [];
  for (let next: string | undefined = id; next !== undefined && next !== NODE_GRANT; ) {
    const grant: GrantRow | undefined = state.get(grantTable, next);
    if (grant === undefined) return fault("GRANT_UNKNOWN", `there is no grant ${next}`);
    const made = next === id ? id : `${id} was made under ${next}, which`;
    if (grant.revoked !== undefined) return fault("GRANT_REVOKED", `${made} was revoked; ask for another`);
    if (state.get(principalTable, grant.principal)?.revoked !== undefined) {
      return fault("GRANT_REVOKED", `${made} is of ${grant.principal}, who was revoked`);
    }
    if (grant.expires !== undefined && grant.expires <= at) {
      return fault("GRANT_EXPIRED", `${made} expired at ${new Date(grant.expires).toISOString()}; ask for another`);
    }
    grants.push(grant);
    if (grants.length > MOST_GENERATIONS)
      return fault("GRANT_UNKNOWN", `${id}: more than ${MOST_GENERATIONS} generations`);
    next = grant.parent;
  }
  return grants;
}

export function isFault(value: readonly GrantRow[] | Fault): value is Fault {
  return "code" in value;
}

/** Which clause of the grant covers what was asked, as its text; or the refusal. */
export function allow(
  grant: GrantRow,
  may: Principal["may"],
  asked: Asked,
  right: "read" | "write" | undefined,
  within?: string,
) {
  const index = firstMatch(grant.allow, asked);
  const what = formatAsked(asked);
  if (index < 0) {
    const only = grant.allow.length === 1 ? parseClause(grant.allow[0] as string) : undefined;
    const clause =
      only === undefined
        ? `none of ${grant.allow.length} clauses covers ${what}`
        : `clause 1: ${mismatch(only, asked)}`;
    return refuse("REFUSED", `${grant.id} allows ${listed(grant.allow)}; asked ${what}`, { clause });
  }
  const namespace = within ?? (asked.name === undefined ? undefined : namespaceOf(asked.name));
  if (right !== undefined && namespace !== undefined && !namespaceCovers(grant[right], namespace)) {
    const text = `${grant.id} may ${right} ${listed(grant[right])}; asked ${what}, in "${namespace}"`;
    return refuse("NAMESPACE_REFUSED", text, { clause: `${right}: ${listed(grant[right])}` });
  }
  if (may !== undefined && firstMatch(may, asked) < 0) {
    const text = `it may ask for ${listed(may) || "nothing"} here; asked ${what}`;
    return refuse("REFUSED", text, { clause: `may: ${listed(may) || "nothing"}` });
  }
  return { clause: grant.allow[index] as string };
}

function listed(items: readonly string[]): string {
  return items.length > 5 ? `${items.slice(0, 5).join(", ")} and ${items.length - 5} more` : items.join(", ");
}

/** A grant's limits as they were asked for. */
export interface Limits {
  readonly allow: readonly string[];
  readonly read?: readonly string[] | undefined;
  readonly write?: readonly string[] | undefined;
  readonly expires?: number | undefined;
  readonly uses?: number | undefined;
  readonly delegable?: boolean | undefined;
}

/**
 * The limits of a grant made under `parent` by a holder whose scope is narrowed to `may`: what is not said is inherited, what
 * is said must not be wider in any field.
 */
export function within(
  parent: GrantRow,
  may: Principal["may"],
  asked: Limits,
): Pick<GrantRow, "allow" | "read" | "write" | "expires" | "uses" | "delegable"> | Fault {
  if (!parent.delegable) return fault("GRANT_NOT_DELEGABLE", `${parent.id} may not be passed on; ask whoever made it`);
  for (const held of [parent.allow, ...(may === undefined ? [] : [may])]) {
    for (const text of asked.allow) {
      if (!coveredBy(held, text))
        return fault("GRANT_WIDER", `allow: "${text}" is wider than ${parent.id}, which allows ${listed(held)}`);
    }
  }
  for (const right of ["read", "write"] as const) {
    for (const namespace of asked[right] ?? []) {
      const within = namespace === "*" ? parent[right].includes("*") : namespaceCovers(parent[right], namespace);
      if (!within)
        return fault(
          "GRANT_WIDER",
          `${right}: "${namespace}" is wider than ${parent.id}, which has ${listed(parent[right])}`,
        );
    }
  }
  if (asked.expires !== undefined && parent.expires !== undefined && asked.expires > parent.expires) {
    return fault(
      "GRANT_WIDER",
      `expires: later than ${parent.id}, which ends at ${new Date(parent.expires).toISOString()}`,
    );
  }
  if (asked.uses !== undefined && parent.uses !== undefined && asked.uses > parent.uses) {
    return fault("GRANT_WIDER", `uses: more than the ${parent.uses} left of ${parent.id}`);
  }
  const expires = asked.expires ?? parent.expires;
  return {
    allow: asked.allow,
    read: asked.read ?? parent.read,
    write: asked.write ?? parent.write,
    ...(expires === undefined ? {} : { expires }),
    ...(asked.uses === undefined ? {} : { uses: asked.uses }),
    delegable: asked.delegable ?? false,
  };
}

function coveredBy(held: readonly string[], text: string): boolean {
  const inner = parseClause(text);
  return (
    inner !== undefined &&
    held.some((one) => {
      const outer = parseClause(one);
      return outer !== undefined && covers(outer, inner);
    })
  );
}
