// Parses an update, one announcement at a time. RFC 7606 §2: a malformed announcement's routes are treated as withdrawn, and the other
// announcements and the session are not affected. If its routes cannot be read, the update ends the session.

import { z } from "zod";
import { type Announcement, type Apart, announcement, LEAVES, type RawUpdate, REPEATABLE } from "./message.ts";
import { BYTES_32, ROUTE_NAME, type RouteName } from "./names.ts";
import type { Complaint } from "./notification-codes.ts";
import { tellIssue } from "./tell-issue.ts";
import { whyNotApart } from "./why-not-apart.ts";

/** A parsed update. No name is in two of its three lists. */
export interface Update {
  readonly withdraw: readonly RouteName[];
  /** In order: a name in two announcements has the attributes of the last (RFC 4271 §3.1: it replaces the other). */
  readonly announce: readonly Announcement[];
  /** Routes of malformed announcements: treated as withdrawn, and reported to the operator with the reason. */
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
    // No path can have an invalid name, so there is nothing to withdraw (RFC 7606 §2).
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
 * An announcement's schema without its leaves (`tellRoutes` parses them) and `apart`, of which there may be a thousand: for a union of
 * tuples zod takes ten times as long as code by hand.
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

/** The names of an announcement's routes, and its leaves if they are well-formed; or, as a string, why the names cannot be read. */
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

/** RFC 4271 §4.3: a name that is announced too counts as announced, even if another entry withdraws it or is malformed. */
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
