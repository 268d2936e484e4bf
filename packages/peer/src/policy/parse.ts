// From what an operator wrote to a routePolicy, or to a text that says where it is wrong.

import { z } from "zod";
import { asLine } from "../wire/names.ts";
import type { RoutePolicy } from "./route-policy.ts";
import { type Direction, routePolicySchema } from "./schema.ts";

export type PolicyReading =
  | { readonly ok: true; readonly policy: RoutePolicy }
  | { readonly ok: false; readonly text: string };

/** Complaints that are told at once; what is wrong in a thousand places is wrong in one way. */
const TOLD = 5;

export function parseRoutePolicy(value: unknown, direction: Direction): PolicyReading {
  const parsed = routePolicySchema[direction].safeParse(value, { error: defaultText, reportInput: true });
  if (parsed.success) return { ok: true, policy: parsed.data };
  const { issues } = parsed.error;
  const told = issues.slice(0, TOLD).map(({ path, message }) => `${z.core.toDotPath(path) || "it"} ${message}`);
  if (issues.length > TOLD) told.push(`and ${issues.length - TOLD} more`);
  return { ok: false, text: `${direction} routePolicy: ${told.join("; ")}` };
}

/** Where the schema has no words of its own. */
function defaultText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "unrecognized_keys") {
    const keys = asLine(issue.keys.map((key) => JSON.stringify(key)).join(", "), 100);
    return `has ${keys}, which no policy has: look for a misspelling`;
  }
  if (issue.code === "invalid_type")
    return issue.input === undefined ? "is missing" : `is not of type ${issue.expected}`;
  return undefined;
}
