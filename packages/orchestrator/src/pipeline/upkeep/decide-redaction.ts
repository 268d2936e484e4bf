// Whether parts of an entry may be erased: not while anybody needs what they say. The erasure is an entry of its own, and
// states again what has to stay known.

import type { Fault } from "../../fault/fault.ts";
import type { PartName } from "../../log/part.ts";
import { entryNumberOf } from "../../message/definition.ts";
import type { PluginContext } from "../../plugin/plugin.ts";
import { done, refuse } from "../../plugin/result.ts";
import { effectTable, erasureTable, holdTable, numberKey } from "../kernel-tables.ts";
import { REDACTABLE, type Redactable } from "./redactable.ts";

/** Rows that a refusal names. */
const MOST_NAMED = 20;

export function decideRedact({ message, envelope, state }: PluginContext) {
  const found = envelope.facts[REDACTABLE] as Redactable | Fault;
  if ("code" in found) return refuse(found.code, found.message, { details: found.details });
  const { entry, id, parts, absent, open, live, rows, outcomes } = found;
  const names = [...new Set((message.data as { parts: readonly PartName[] }).parts)];
  const erased = state.get(erasureTable, numberKey(entry)) ?? {};
  for (const name of names) {
    const by = erased[name];
    if (by !== undefined)
      return refuse("PART_ERASED", `the ${name} of entry ${entry} was erased by entry ${by}`, { details: { by } });
  }
  if (absent.length > 0) return refuse("PART_ERASED", `entry ${entry} has no ${absent.join(" and no ")}`);
  if (open || state.get(holdTable, id) !== undefined)
    return refuse("REDACT_OPEN", `${id} is pending; redact entry ${entry} once it is settled`);
  for (const [effect, { seq, owing, kind }] of state.rows(effectTable)) {
    if (seq === entry || owing === id)
      return refuse("REDACT_OPEN", `${id} still owes "${kind}" (${effect}); redact entry ${entry} once that is done`);
  }
  if (live.length > 0) {
    const named = live.slice(0, MOST_NAMED).map(([table, key]) => `${table} "${key}"`);
    const more = live.length > named.length ? ` and ${live.length - named.length} more` : "";
    const text = `entry ${entry} wrote rows that are still in force: ${named.join(", ")}${more}; change or remove them first`;
    return refuse("REDACT_LIVE", text, { details: { rows: live.slice(0, MOST_NAMED) } });
  }
  const by = entryNumberOf(envelope);
  return done({
    data: { entry, parts: names, by },
    state: state.put(erasureTable, numberKey(entry), {
      ...erased,
      ...Object.fromEntries(names.map((name) => [name, by])),
    }),
    log: { erases: [{ seq: entry, parts }], rows, forgets: outcomes },
  });
}
