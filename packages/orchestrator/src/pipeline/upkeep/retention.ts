// How much of the log must be kept, and why: the facts that `log.compact` is decided with. Owed effects are not among them: `decide` sees those
// in its own state. The facts may be slightly old: what happened since can only need later entries.

import { decodeEntry } from "../../log/entry.ts";
import type { Log } from "../../log/log.ts";
import { timeOfId } from "../../message/id.ts";
import type { Envelope, Facts } from "../../message/message.ts";
import type { Notary } from "../../notary/notary.ts";
import type { Composition } from "../../plugin/composition.ts";
import type { Reader } from "../../plugin/reader.ts";
import { COLD_TABLES } from "../../state/table.ts";
import { holdTable, KEY_TABLE, pipelineTable } from "../kernel-tables.ts";
import { firstSince } from "./first-since.ts";

export const RETENTION = "log.retention";

/** Entries from `entry` on are needed. */
export interface Stop {
  readonly entry: number;
  readonly why: string;
}

export interface Retention {
  /** The oldest entry that is kept. */
  readonly first: number;
  /** The newest checkpoint covers this many entries: what was never signed is not forgotten. */
  readonly covered: number;
  /** The first entry that is too young for the `olderThan` that was asked. */
  readonly young?: number;
  readonly stops: readonly Stop[];
  /** Rows of tables that no plugin of this composition owns; they are not in memory. */
  readonly unowned: readonly (readonly [table: string, key: string, row: unknown])[];
}

export interface RetentionParts {
  readonly composition: Composition;
  readonly log: Log;
  readonly reader: Reader;
  readonly notary: Notary;
  /** How long a message's key answers for it, in milliseconds. */
  readonly keyWindow: number;
  /** The oldest entry whose message somebody here waits for. */
  oldestAwaited(): number | undefined;
  /** Lets others run. */
  pause(): Promise<void>;
}

/** A day: longer than any client tries again. */
export const KEY_WINDOW_MS = 86_400_000;
/** Entries that are looked through for a key at most: a preparation is bounded. */
const MOST_LOOKED_THROUGH = 200_000;
const PAGE = 1000;

export function retention(parts: RetentionParts) {
  return async (envelope: Envelope): Promise<Facts> => {
    const { composition, log, notary } = parts;
    const { before, olderThan } = envelope.message.data as { before?: number; olderThan?: number };
    // Not the tracking reader: under load owed effects change with every message, and the facts would always count as stale.
    const { reader } = parts;
    await notary.checkpoint();
    const covered = notary.covered;
    const young = olderThan === undefined ? undefined : await firstSince(reader, envelope.at - olderThan);
    const stops: Stop[] = [];
    const held = await oldestHeld(reader);
    if (held !== undefined) stops.push(held);
    const awaited = parts.oldestAwaited();
    if (awaited !== undefined) stops.push({ entry: awaited, why: "somebody waits for what comes of its message" });
    for (const { name, retains } of composition.plugins) {
      const needed = await retains?.(reader);
      if (needed !== undefined) stops.push({ entry: needed.entry, why: `${name}: ${needed.why}` });
    }
    const end = Math.min(covered + 1, before ?? Infinity, young ?? Infinity, ...stops.map(({ entry }) => entry));
    const keyed = await oldestKeyed(parts, envelope.at, end);
    if (keyed !== undefined) stops.push(keyed);
    const found: Retention = {
      first: log.first,
      covered,
      ...(young === undefined ? {} : { young }),
      stops,
      unowned: await unownedRows(parts),
    };
    return { [RETENTION]: found };
  };
}

/** The oldest held message. Its entry is not older than the time in its id. */
async function oldestHeld(reader: Reader): Promise<Stop | undefined> {
  let oldest: { readonly id: string; readonly hold: string } | undefined;
  for (const [id, { hold }] of reader.rows(holdTable)) {
    if (oldest === undefined || id < oldest.id) oldest = { id, hold: hold.name };
  }
  if (oldest === undefined) return undefined;
  const entry = await firstSince(reader, timeOfId(oldest.id) ?? 0);
  return { entry, why: `${oldest.id} is held for "${oldest.hold}"` };
}

/** The oldest entry before `end` whose message has a key that a repeat may still come with. */
async function oldestKeyed({ reader, keyWindow, pause }: RetentionParts, at: number, end: number) {
  const start = await firstSince(reader, at - keyWindow);
  for (let from = start; from < end; ) {
    const why = `a key of the last ${keyWindow / 3_600_000} hours`;
    if (from - start >= MOST_LOOKED_THROUGH) return { entry: from, why: `${why} may stand from there on` };
    const page = await reader.entries(from, { limit: Math.min(PAGE, end - from) });
    for (const stored of page) {
      if (!stored.text.includes(KEYED) && !stored.text.includes(ROWS_BESIDE)) continue;
      const rows = (await reader.part(decodeEntry(stored), "r")) as readonly (readonly [string])[] | undefined;
      if (rows?.some(([table]) => table === KEY_TABLE)) return { entry: stored.seq, why };
    }
    const last = page.at(-1);
    if (last === undefined) return undefined;
    from = last.seq + 1;
    await pause();
  }
  return undefined;
}

const KEYED = `["${KEY_TABLE}",`;
/** How the line of rows that are kept beside their entry begins. */
const ROWS_BESIDE = "\nR";

/** Rows of plugins that are no longer in the composition: kept until it has the plugin again. */
async function unownedRows({ composition, log, reader }: RetentionParts): Promise<Retention["unowned"]> {
  const unowned = new Set<string>();
  for (const [, { tables = [] }] of reader.rows(pipelineTable)) for (const table of tables) unowned.add(table);
  for (const { name } of composition.tables) unowned.delete(name);
  for (const cold of COLD_TABLES) unowned.delete(cold);
  const rows: [string, string, unknown][] = [];
  for (const table of unowned) {
    for (let after: string | undefined, more = true; more; ) {
      const page = await log.rows(table, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { key, json } of page) rows.push([table, key, JSON.parse(json)]);
      after = page.at(-1)?.key;
      more = page.length === PAGE;
    }
  }
  return rows;
}
