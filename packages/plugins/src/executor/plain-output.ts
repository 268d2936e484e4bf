// An output as the log will have it: what a schema is asked about, and what secrets are looked for in, is what is kept.

import { type Fault, fault, printable } from "@capstan/orchestrator";

/** An output is an entry's part, held in memory by whoever waits for it. */
const MOST_OUTPUT_CHARACTERS = 4 * 1024 * 1024;
/** A message has 100, and the output is not all of it. */
const MOST_LEVELS = 90;
/** A text of fewer characters cannot be deeper. */
const SHORTEST_UNFIT = 2 * MOST_LEVELS;

/** Plain data, or why it is none. */
export function plainOutput(output: unknown, name: string): { readonly value: unknown } | Fault {
  if (output === undefined) return { value: undefined };
  let text: string | undefined;
  try {
    text = JSON.stringify(output);
  } catch (thrown) {
    return fault("OUTPUT_INVALID", `${name}: the output is no JSON: ${textOf(thrown)}`);
  }
  // A function, a symbol, or what has a `toJSON` that gives none.
  if (text === undefined) return fault("OUTPUT_INVALID", `${name}: the output is no JSON: ${typeof output}`);
  if (text.length > MOST_OUTPUT_CHARACTERS) {
    const most = `${MOST_OUTPUT_CHARACTERS} at most`;
    return fault("OUTPUT_TOO_LARGE", `${name}: an output of ${text.length} characters; ${most}`);
  }
  // A string comes back as it is; not so a number: NaN is null.
  if (typeof output === "string") return { value: output };
  const value: unknown = JSON.parse(text);
  const unfit = text.length > SHORTEST_UNFIT || text.includes("__proto__") ? unfitFor(value, MOST_LEVELS) : undefined;
  return unfit === undefined ? { value } : fault("OUTPUT_INVALID", `${name}: the output ${unfit}`);
}

/** Why the log would not take it. */
function unfitFor(value: unknown, levels: number): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (levels === 0) return `is more than ${MOST_LEVELS} levels deep`;
  if (Object.hasOwn(value, "__proto__")) return 'has the key "__proto__", which is no key';
  for (const part of Object.values(value)) {
    const unfit = unfitFor(part, levels - 1);
    if (unfit !== undefined) return unfit;
  }
  return undefined;
}

/** What was thrown may be anything, and need not have a text. */
export function textOf(thrown: unknown): string {
  try {
    return printable(String(thrown instanceof Error ? thrown.message : thrown));
  } catch {
    return "";
  }
}
