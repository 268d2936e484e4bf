// Parses what an operator wrote into a routePolicy, or into a text that says where it is wrong.

import { z } from "zod";
import { asLine } from "../wire/names.ts";
import type { RoutePolicy } from "./route-policy.ts";
import { type Direction, routePolicySchema } from "./schema.ts";

export type PolicyReading =
  | { readonly ok: true; readonly policy: RoutePolicy }
  | { readonly ok: false; readonly text: string };

/** How many mistakes one text names: what is wrong in a thousand places is mostly wrong in one way. */
const TOLD = 5;

/** Parses a policy for one direction; where it is invalid, the answer's `text` says what is wrong. */
export function parseRoutePolicy(value: unknown, direction: Direction): PolicyReading {
  const parsed = routePolicySchema[direction].safeParse(value, { error: defaultText, reportInput: true });
  if (parsed.success) return { ok: true, policy: parsed.data };
  const { issues } = parsed.error;
  const told = issues.slice(0, TOLD).map(({ path, message }) => `${z.core.toDotPath(path) || "it"} ${message}`);
  if (issues.length > TOLD) told.push(`and ${issues.length - TOLD} more`);
  return { ok: false, text: `${direction} routePolicy: ${told.join("; ")}` };
}

/** The text for a mistake that the schema has no words for. */
function defaultText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "unrecognized_keys") {
    const keys = asLine(issue.keys.map((key) => JSON.stringify(key)).join(", "), 100);
    return `has ${keys}, which no policy has: look for a misspelling`;
  }
  if (issue.code === "invalid_type")
    return issue.input === undefined ? "is missing" : `is not of type ${issue.expected}`;
  return undefined;
}
