// The text templates of configurations: `{{path}}` stands for a value of the call, `{{path?}}` for one that may be missing,
// `{{{{` for two braces. There is no logic in them: what has to be computed is for a transform.

import { type Fault, type FaultTable, fault } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";

/** The faults of templates. */
export const templateFaults = {
  TEMPLATE_UNRESOLVED: {
    status: 422,
    retryable: false,
    text: "A template of the configuration names a value that the input does not have; the text names it. `{{path?}}` may be missing.",
  },
  TEMPLATE_VALUE_REFUSED: {
    status: 422,
    retryable: false,
    text: "A value of the input cannot stand where a template puts it: a line break in a header, `..` in a path, an option in an argument; the text says which.",
  },
} as const satisfies FaultTable;

/** What of a call a template can name first. */
export const TEMPLATE_ROOTS = ["input", "key", "id", "attempt", "publication"] as const;

export interface Placeholder {
  readonly path: readonly string[];
  readonly optional: boolean;
}

export type TemplatePart = string | Placeholder;

const MOST_SEGMENTS = 32;
const PATH = /^\s*([^\s.{}?"'[\]]+(?:\.[^\s.{}?"'[\]]+)*)(\?)?\s*$/u;

/** Literal texts and placeholders in turn, or in words what is wrong with the text. */
export function parseTemplate(text: string): readonly TemplatePart[] | { readonly problem: string } {
  const parts: TemplatePart[] = [];
  let literal = "";
  let at = 0;
  for (;;) {
    const open = text.indexOf("{{", at);
    if (open === -1) break;
    literal += text.slice(at, open);
    if (text.startsWith("{{{{", open)) {
      literal += "{{";
      at = open + 4;
      continue;
    }
    const close = text.indexOf("}}", open + 2);
    if (close === -1)
      return { problem: `"{{" at character ${open} is not closed; write "{{{{" for the braces themselves` };
    const inside = text.slice(open + 2, close);
    const found = PATH.exec(inside);
    const path = found?.[1]?.split(".") ?? [];
    if (found === null || path.length > MOST_SEGMENTS) {
      return {
        problem: `{{${quote(inside).slice(1, -1)}}} is no path; a path is names with points between, as in input.user.name`,
      };
    }
    if (!(TEMPLATE_ROOTS as readonly string[]).includes(path[0] as string)) {
      return {
        problem: `{{${path.join(".")}}} begins with ${quote(path[0] as string)}; it may be ${TEMPLATE_ROOTS.join(", ")}`,
      };
    }
    if (literal !== "") parts.push(literal);
    literal = "";
    parts.push({ path, optional: found[2] !== undefined });
    at = close + 2;
  }
  literal += text.slice(at);
  if (literal !== "" || parts.length === 0) parts.push(literal);
  return parts;
}

/** Looks at every text in a part of a configuration: `CONFIG_INVALID` where one is no template. Secrets' references are none. */
export function checkTemplates(value: unknown, where: string): Fault | undefined {
  if (typeof value === "string") {
    const parts = parseTemplate(value);
    return "problem" in parts ? fault("CONFIG_INVALID", `${where}: ${parts.problem}`) : undefined;
  }
  if (typeof value !== "object" || value === null || isReference(value)) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const flaw = checkTemplates(inner, Array.isArray(value) ? `${where}[${key}]` : `${where}.${key}`);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

/** Whether it stands for a secret: `{ secret: "env:NAME" }`. */
export function isReference(value: unknown): value is { readonly secret: string } {
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === "secret" && typeof (value as { secret: unknown }).secret === "string";
}
