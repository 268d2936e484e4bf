// A value in a line: `{name: greet, input: {name: Ada}}`. A reminder of what was said, not the thing itself.

import { shown } from "./shown.ts";

const LONGEST = 160;
const DEEPEST = 4;
const MOST_MEMBERS = 12;

export function brief(value: unknown): string {
  const text = shown(briefOf(value, 0));
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function briefOf(value: unknown, depth: number): string {
  if (typeof value === "string")
    return /^[\p{L}\p{N}_][\p{L}\p{N}\w./:@*~-]*$/u.test(value) ? value : JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (depth >= DEEPEST) return "…";
  const members = Array.isArray(value)
    ? value.map((one) => briefOf(one, depth + 1))
    : Object.entries(value).map(([name, one]) => `${name}: ${briefOf(one, depth + 1)}`);
  const said = members.length > MOST_MEMBERS ? [...members.slice(0, MOST_MEMBERS), "…"] : members;
  return Array.isArray(value) ? `[${said.join(", ")}]` : `{${said.join(", ")}}`;
}
