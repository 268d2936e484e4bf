// Describes a schema's first issue in one line: where, and what is wrong. Of the input it quotes only names of
// members, cut and escaped; zod's own texts show patterns and whole keys. The error must come from a parse with `reportInput`.

import type { z } from "zod";
import { asLine } from "./names.ts";

export function tellIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "is malformed";
  const where = issue.path.map(String).join(".");
  return where === "" ? tell(issue) : `${where} ${tell(issue)}`;
}

function tell(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is missing";
      return `is not ${issue.expected === "int" ? "a whole number" : `of type ${issue.expected}`}`;
    case "too_big":
      return `${over(issue.origin)} ${issue.maximum}${unit(issue.origin)}`;
    case "too_small":
      // No list or text has a minimum above one.
      return issue.origin === "array" || issue.origin === "string" ? "is empty" : `is under ${issue.minimum}`;
    case "invalid_value":
      return `is none of ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return `has a member that it must not have: "${asLine(issue.keys[0] ?? "", 32)}"`;
    case "invalid_format":
    case "custom":
      return issue.message; // written in names.ts
    default:
      return "is malformed";
  }
}

function over(what: string): string {
  return unit(what) === "" ? "is over" : "has more than";
}

function unit(what: string): string {
  if (what === "array") return " entries";
  return what === "string" ? " characters" : "";
}
