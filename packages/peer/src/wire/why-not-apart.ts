// What is wrong with what an announcement says of single routes: the schema `apart` by hand, since every route of a table may have
// attributes of its own, and whose routes they are, which no schema sees.

import { type Announcement, apart, LEAVES } from "./message.ts";
import { IDENTIFIER } from "./names.ts";
import { tellIssue } from "./tell-issue.ts";

/** `undefined`: nothing is. `leaves`: those of the same announcement, read. */
export function whyNotApart(value: unknown, leaves: Announcement["leaves"]): string | undefined {
  if (!Array.isArray(value) || value.length < 1 || value.length > LEAVES) return `apart has not 1 to ${LEAVES} entries`;
  const taken = new Uint8Array(leaves.length);
  for (let index = 0; index < value.length; index++) {
    const one: unknown = value[index];
    if (!isApart(one)) return `apart.${index}: ${whyNot(one)}`;
    for (const at of one.at) {
      if (typeof leaves[at]?.[0] !== "string") return `apart.${index}: no route is at ${at}`;
      if (taken[at] === 1) return `apart.${index}: the route at ${at} has other attributes already`;
      taken[at] = 1;
    }
  }
  return undefined;
}

function isApart(value: unknown): value is { readonly at: readonly number[] } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const key in value) {
    const of = (value as Record<string, unknown>)[key];
    switch (key) {
      case "at":
      case "path":
      case "tags":
        break;
      case "localPreference":
        if (!isCount(of) || of > 4_294_967_295) return false;
        break;
      default:
        return false;
    }
  }
  const { at, path, tags } = value as { readonly at?: unknown; readonly path?: unknown; readonly tags?: unknown };
  if (!Array.isArray(at) || at.length < 1 || at.length > LEAVES || !at.every(isCount)) return false;
  return (path === undefined || areIdentifiers(path, 1024)) && (tags === undefined || areIdentifiers(tags, 32));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areIdentifiers(value: unknown, most: number): boolean {
  if (!Array.isArray(value) || value.length > most) return false;
  for (let index = 0; index < value.length; index++) {
    const word: unknown = value[index];
    if (typeof word !== "string" || !IDENTIFIER.test(word)) return false;
  }
  return true;
}

/** In the words of the schema, which is asked only for them. */
function whyNot(value: unknown): string {
  const parsed = apart.safeParse(value, { reportInput: true });
  return parsed.success ? "is malformed" : tellIssue(parsed.error);
}
