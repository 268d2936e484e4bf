// An output as plain JSON, as the log will have it, so that exactly this is checked against the schema and searched for secrets.

import { type Fault, fault } from "@capstan/orchestrator";
import { textOf } from "./thrown.ts";

/** The largest output: it is a part of an entry, and is held in memory for waiting callers. */
const MOST_OUTPUT_CHARACTERS = 4 * 1024 * 1024;
/** The deepest output: a message may have 100 levels, and the output is only a part of one. */
const MOST_LEVELS = 90;
/** JSON of fewer characters cannot be too deep. */
const SHORTEST_UNFIT = 2 * MOST_LEVELS;

/** The output as plain data, or the fault for which it is refused. */
export function plainOutput(
  output: unknown,
  name: string,
  longest = MOST_OUTPUT_CHARACTERS,
): { readonly value: unknown } | Fault {
  if (output === undefined) return { value: undefined };
  let text: string | undefined;
  try {
    text = JSON.stringify(output);
  } catch (thrown) {
    return fault("OUTPUT_INVALID", `${name}: the output is no JSON: ${textOf(thrown)}`);
  }
  // A function, a symbol, or an object whose `toJSON` gives nothing.
  if (text === undefined) return fault("OUTPUT_INVALID", `${name}: the output is no JSON: ${typeof output}`);
  if (text.length > longest) {
    const most = `${longest} at most`;
    return fault("OUTPUT_TOO_LARGE", `${name}: an output of ${text.length} characters; ${most}`);
  }
  // A string is unchanged by JSON; a number need not be, since NaN becomes null.
  if (typeof output === "string") return { value: output };
  const value: unknown = JSON.parse(text);
  const unfit = text.length > SHORTEST_UNFIT || text.includes("__proto__") ? unfitFor(value, MOST_LEVELS) : undefined;
  return unfit === undefined ? { value } : fault("OUTPUT_INVALID", `${name}: the output ${unfit}`);
}

/** Why the log would not take the value; `undefined` where it would. */
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
