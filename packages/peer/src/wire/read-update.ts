// An update, announcement by announcement. RFC 7606 §2: what is malformed is treated as withdrawn, as far as its routes can
// be told; its siblings and the session live. Where they cannot be told, the update is an error of the session's.

import { z } from "zod";
import { type Announcement, type Apart, announcement, LEAVES, type RawUpdate, REPEATABLE } from "./message.ts";
import { BYTES_32, ROUTE_NAME, type RouteName } from "./names.ts";
import type { Complaint } from "./notification-codes.ts";
import { tellIssue } from "./tell-issue.ts";
import { whyNotApart } from "./why-not-apart.ts";

/** An update that the RIB can take. No name is in two of its three lists. */
export interface Update {
  readonly withdraw: readonly RouteName[];
  /** In their order: a name that is in two of them has the last one's attributes (RFC 4271 §3.1: it replaces the other). */
  readonly announce: readonly Announcement[];
  /** Routes of announcements that were malformed: withdrawn, and told to the operator with why. */
  readonly malformed: readonly { readonly routes: readonly RouteName[]; readonly text: string }[];
}

export type UpdateReading =
  | { readonly ok: true; readonly update: Update }
  | { readonly ok: false; readonly complaint: Complaint; readonly text: string };

export function readUpdate(raw: RawUpdate, limits: { readonly updateRoutes: number }): UpdateReading {
  const withdraw = new Set<RouteName>();
  const announce: Announcement[] = [];
  const malformed: { routes: readonly RouteName[]; text: string }[] = [];
  let routes = raw.withdraw.length;

  for (const [index, name] of raw.withdraw.entries()) {
    if (typeof name !== "string") return unreadable(`withdraw.${index} is not a string`);
    if (isRouteName(name)) withdraw.add(name);
    // Nothing of ours can have that name: nothing is left standing that the peer wants gone (RFC 7606 §2).
    else malformed.push({ routes: [], text: `withdraw.${index} is not a route's name` });
  }
  for (const [index, one] of raw.announce.entries()) {
    const told = tellRoutes(one);
    if (typeof told === "string") return unreadable(`announce.${index}: ${told}`);
    routes += told.names.length;
    if (routes > limits.updateRoutes) break;
    const read = told.fault ?? readAttributes(one, told.leaves);
    if (typeof read !== "string") announce.push(read);
    else malformed.push({ routes: told.names.filter(isRouteName), text: `announce.${index}: ${read}` });
  }
  if (routes > limits.updateRoutes) {
    const text = `more than ${limits.updateRoutes} routes in one update`;
    return { ok: false, complaint: { code: "update-error", subcode: "too-large" }, text };
  }
  return { ok: true, update: announcedWins({ withdraw: [...withdraw], announce, malformed }) };
}

/**
 * An announcement less what there may be a thousand of in it: its leaves, which `tellRoutes` has read, and what is apart. A union of
 * tuples costs zod ten times a walk by hand.
 */
const attributes = announcement
  .omit({ leaves: true, apart: true })
  .extend({ leaves: z.unknown(), apart: z.unknown().optional() });

function readAttributes(value: unknown, leaves: Announcement["leaves"]): Announcement | string {
  const parsed = attributes.safeParse(value, { reportInput: true });
  if (!parsed.success) return tellIssue(parsed.error);
  const { apart, ...shared } = parsed.data;
  if (apart === undefined) return { ...shared, leaves };
  return whyNotApart(apart, leaves) ?? { ...shared, apart: apart as Apart, leaves };
}

type Told =
  | { readonly names: readonly string[]; readonly leaves: Announcement["leaves"]; readonly fault: undefined }
  | { readonly names: readonly string[]; readonly leaves: undefined; readonly fault: string };

/** The names of an announcement, and its leaves where they are well-formed; or why its names cannot be told. */
function tellRoutes(value: unknown): Told | string {
  if (typeof value !== "object" || value === null) return "is no announcement";
  const { leaves } = value as { readonly leaves?: unknown };
  if (!Array.isArray(leaves)) return "leaves is not a list";
  const names: string[] = [];
  let fault = leaves.length < 1 || leaves.length > LEAVES ? `leaves has not 1 to ${LEAVES} entries` : undefined;
  for (let index = 0; index < leaves.length; index++) {
    const one: unknown = leaves[index];
    if (!Array.isArray(one)) return `leaves.${index} is neither a leaf nor pruned`;
    const [first, second] = one as readonly unknown[];
    if (typeof first === "string") names.push(first);
    else if (typeof first !== "number") return `leaves.${index} is neither a leaf nor pruned`;
    const isOne = typeof first === "string" ? isLeaf(one) : one.length === 2 && isPruned(first, second);
    if (fault === undefined && !isOne) fault = `leaves.${index} is malformed`;
  }
  return fault === undefined ? { names, leaves, fault } : { names, leaves: undefined, fault };
}

function isLeaf(one: readonly unknown[]): boolean {
  const [name, digest, repeatable] = one;
  if (!isRouteName(name as string) || !(digest === "" || isBytes32(digest))) return false;
  return one.length === 2 || (one.length === 3 && (REPEATABLE as readonly unknown[]).includes(repeatable));
}

function isRouteName(name: string): boolean {
  return ROUTE_NAME.test(name);
}

function isPruned(span: number, hash: unknown): boolean {
  return Number.isSafeInteger(span) && span >= 1 && isBytes32(hash);
}

function isBytes32(value: unknown): boolean {
  return typeof value === "string" && BYTES_32.test(value);
}

/** RFC 4271 §4.3: what is announced too was not withdrawn; and what is treated as withdrawn is as if it were. */
function announcedWins(update: Update): Update {
  if (update.withdraw.length === 0 && update.malformed.length === 0) return update;
  const announced = new Set<string>();
  for (const { leaves } of update.announce)
    for (const [name] of leaves) if (typeof name === "string") announced.add(name);
  const isGone = (name: string) => !announced.has(name);
  return {
    withdraw: update.withdraw.filter(isGone),
    announce: update.announce,
    malformed: update.malformed.map(({ routes, text }) => ({ routes: routes.filter(isGone), text })),
  };
}

function unreadable(text: string): UpdateReading {
  return { ok: false, complaint: { code: "update-error", subcode: "malformed-update" }, text };
}
