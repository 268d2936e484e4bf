// Validates an announcement's `apart` (attributes of single routes): the schema `apart` in code by hand, because every route of a table may have
// attributes of its own; and what no schema can check: columns of equal length, and indices of existing routes.

import { z } from "zod";
import { type Announcement, type Apart, apart, LEAVES } from "./message.ts";
import { tellIssue } from "./tell-issue.ts";
import { isWords } from "./words.ts";

/** Why `apart` is invalid; `undefined` where it is valid. @param leaves the announcement's, parsed */
export function whyNotApart(value: unknown, leaves: Announcement["leaves"]): string | undefined {
  if (!isApart(value)) return whyNot(value);
  const { at, path, localPreference, tags } = value;
  for (const column of [path, localPreference, tags])
    if (column !== undefined && column.length !== at.length) return "apart has columns of different lengths";
  const taken = new Uint8Array(leaves.length);
  for (const places of at) {
    for (const place of typeof places === "number" ? [places] : places) {
      if (typeof leaves[place]?.[0] !== "string") return `apart.at: no route is at ${place}`;
      if (taken[place] === 1) return `apart.at: the route at ${place} has other attributes already`;
      taken[place] = 1;
    }
  }
  return undefined;
}

function isApart(value: unknown): value is Apart {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const key in value) if (!Object.hasOwn(apart.shape, key)) return false;
  const { at, path, localPreference, tags } = value as Readonly<Record<string, unknown>>;
  return (
    isList(at, 1, arePlaces) &&
    (path === undefined || isList(path, 0, isPath)) &&
    (localPreference === undefined || isList(localPreference, 0, isPreference)) &&
    (tags === undefined || isList(tags, 0, areTags))
  );
}

const arePlaces = (value: unknown): boolean => isCount(value) || isList(value, 1, isCount);
const isPath = (value: unknown): boolean => value === null || isWords(value, 1024);
const isPreference = (value: unknown): boolean => value === null || (isCount(value) && value <= 4_294_967_295);
const areTags = (value: unknown): boolean => value === null || isWords(value, 32);

function isList(value: unknown, least: number, isEntry: (entry: unknown) => boolean): boolean {
  if (!Array.isArray(value) || value.length < least || value.length > LEAVES) return false;
  for (let index = 0; index < value.length; index++) if (!isEntry(value[index])) return false;
  return true;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const member = z.object({ apart });

/** The schema's message: the schema runs only to explain a failure. */
function whyNot(value: unknown): string {
  const parsed = member.safeParse({ apart: value }, { reportInput: true });
  return parsed.success ? "apart is malformed" : tellIssue(parsed.error);
}
