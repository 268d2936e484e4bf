// What a change of a grant means for the rows that a rehearsal decides on: the grant has the limits that it is to have, and what
// was made under it is never wider. Whatever else history did to the grant stays: its uses, its end.

import { parse, type RowOverride } from "@capstan/orchestrator";
import { z } from "zod";
import { namespaceCovers, narrow } from "../clause.ts";
import { authMessages, type GrantRow, grantTable } from "./schema.ts";

/** As it would be asked for. */
const changeSchema = authMessages.grant.attenuate.data
  .partial()
  .extend({ ...authMessages.grant.revoke.data.shape, revoke: z.boolean().optional() });

/** What is not said stays as it is. */
export interface GrantChange {
  readonly allow?: readonly string[] | undefined;
  readonly read?: readonly string[] | undefined;
  readonly write?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly expires?: number | undefined;
  /** It was never any good. */
  readonly revoke?: boolean | undefined;
}

/** @throws FaultError MESSAGE_INVALID where it could be no grant's */
export function rehearsedGrant(id: string, change: GrantChange): RowOverride {
  parse("the changed grant", changeSchema, { ...change, grant: id });
  // Rows are values: the same one comes out the same each time, and every message asks.
  const known = new WeakMap<GrantRow, GrantRow>();
  return {
    table: grantTable.name,
    becomes(row, _key, recorded) {
      const grant = row as GrantRow;
      let changed = known.get(grant);
      if (changed === undefined) {
        changed = changedGrant(grant, id, change, (other) => recorded(other) as GrantRow | undefined);
        known.set(grant, changed);
      }
      return changed;
    },
  };
}

function changedGrant(
  grant: GrantRow,
  id: string,
  change: GrantChange,
  recorded: (id: string) => GrantRow | undefined,
): GrantRow {
  if (grant.id === id) {
    return {
      ...grant,
      allow: change.allow ?? grant.allow,
      read: change.read ?? grant.read,
      write: change.write ?? grant.write,
      ...(change.expires === undefined ? {} : { expires: change.expires }),
      ...(change.revoke ? { revoked: grant.at } : {}),
    };
  }
  const parent = grant.parent === undefined ? undefined : recorded(grant.parent);
  if (parent === undefined) return grant;
  const limits = changedGrant(parent, id, change, recorded);
  if (limits === parent) return grant;
  // Its end is its parents' too: whoever asks whether it is alive asks all of them.
  return {
    ...grant,
    allow: narrow(grant.allow, limits.allow),
    read: within(grant.read, limits.read),
    write: within(grant.write, limits.write),
  };
}

/** What of `namespaces` is covered by `limits`, and of `limits` by `namespaces`. */
function within(namespaces: readonly string[], limits: readonly string[]): readonly string[] {
  const kept = namespaces.filter((one) => covered(limits, one));
  return [...new Set([...kept, ...limits.filter((one) => covered(namespaces, one))])];
}

function covered(by: readonly string[], namespace: string): boolean {
  return namespace === "*" ? by.includes("*") : namespaceCovers(by, namespace);
}
