// How far a log is compacted: as far as was asked, and not past what is still needed. The entry that says so states every
// row again, so that what is left replays by itself; the entries go once it is durable (trimming.ts).

import type { PluginContext } from "../../plugin/plugin.ts";
import { done, refuse } from "../../plugin/result.ts";
import { KERNEL } from "../decide.ts";
import { effectTable, erasureTable } from "../kernel-tables.ts";
import { RETENTION, type Retention, type Stop } from "./retention.ts";

export const TRIM = "trim";

/** What a compaction owes. */
export interface Trim {
  /** Entries before it go. */
  readonly before: number;
  /** Why not more. */
  readonly stoppedBy?: Stop;
}

/** What came of it: where the log begins now. */
export interface Trimmed extends Trim {
  readonly id: string;
  readonly first: number;
}

export function decideCompact({ message, envelope, state }: PluginContext) {
  const { before: asked } = message.data as { before?: number };
  const { first, covered, young, stops, unowned } = envelope.facts[RETENTION] as Retention;
  const needed: Stop[] = [];
  for (const [, { plugin, kind, owing, seq }] of state.rows(effectTable)) {
    if (plugin === KERNEL && kind === TRIM)
      return refuse("LOG_COMPACTING", `the log is being compacted already, by ${owing}; attach to that`);
    needed.push({ entry: seq, why: `${owing} still owes "${kind}"` });
  }
  needed.push(...stops);
  const wanted = Math.min(asked ?? Infinity, young ?? Infinity, covered + 1);
  let stop: Stop | undefined;
  for (const one of needed) if (one.entry < (stop?.entry ?? wanted)) stop = one;
  const stoppedBy = stop === undefined ? {} : { stoppedBy: stop };
  const before = stop?.entry ?? wanted;
  if (before <= first) return done({ data: { before: first, first, ...stoppedBy } });
  const rows = unowned.map(([table, key, row]) => ({ table, key, json: JSON.stringify(row) }));
  const trim: Trim = { before, ...stoppedBy };
  return done({
    data: trim,
    pending: true,
    effects: [{ kind: TRIM, data: trim, replayable: true }],
    log: { restates: true, rows },
  });
}

export function decideTrimmed({ message, state }: PluginContext) {
  const { id, ...data } = message.data as Trimmed;
  let after = state;
  for (const [entry] of state.rows(erasureTable)) {
    if (Number(entry) < data.first) after = after.remove(erasureTable, entry);
  }
  return done({ state: after, settles: [{ id, data }] });
}
