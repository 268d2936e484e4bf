// Removes the entries that a compaction may remove: in slices, so that nobody waits long for one, and with each slice the rows that its
// entries wrote to tables that are kept on disk only. A restart goes on where it was.

import type { Fault } from "../../fault/fault.ts";
import { fault } from "../../fault/fault.ts";
import { decodeEntry } from "../../log/entry.ts";
import type { Log } from "../../log/log.ts";
import type { Message } from "../../message/message.ts";
import type { EffectHandler, EffectRuntime, LostEffect, OwedEffect } from "../../plugin/plugin.ts";
import type { Reader } from "../../plugin/reader.ts";
import { COLD_TABLES } from "../../state/table.ts";
import { KEY_TABLE, type KeyRow, OUTCOME_TABLE } from "../kernel-tables.ts";
import type { Trim, Trimmed } from "./decide-compaction.ts";

export interface TrimmingParts {
  readonly log: Log;
  readonly reader: () => Reader;
  /** Resolves once what was decided is durable; rejects where it was undone. */
  decidedIsDurable(): Promise<void>;
  /** Lets others run. */
  pause(): Promise<void>;
}

/** Entries that are looked at for their rows at once. */
const SLICE = 512;

export class Trimming implements EffectHandler {
  readonly #parts: TrimmingParts;

  constructor(parts: TrimmingParts) {
    this.#parts = parts;
  }

  async carryOut({ owing, data }: OwedEffect, { signal }: EffectRuntime): Promise<Message> {
    const { log, decidedIsDurable, pause } = this.#parts;
    const trim = data as Trim;
    // The effect may run before its own entry is made. That entry repeats the rows, and must be durable before the old entries go.
    await undefined;
    await decidedIsDurable();
    for (let slice = SLICE; log.first < trim.before; ) {
      signal.throwIfAborted();
      const from = log.first;
      const to = Math.min(from + slice, trim.before);
      const first = await log.trim(to, await this.#rowsOf(from, to));
      // The log may keep more than it was asked to.
      if (first === from && to === trim.before) break;
      slice = first > from ? SLICE : slice * 2;
      await pause();
    }
    const outcome: Trimmed = { id: owing, ...trim, first: log.first };
    return { resource: "log", action: "trimmed", data: outcome };
  }

  failed(effect: Pick<OwedEffect, "owing">, error: Fault): Message {
    return { resource: "message", action: "fail", data: { id: effect.owing, error } };
  }

  lost(effect: LostEffect): Message {
    return this.failed(effect, fault("INTERNAL", "the node died while it compacted the log"));
  }

  /** Rows that these entries wrote to tables kept on disk only, without those that a later entry has written since. */
  async #rowsOf(from: number, to: number) {
    const { log, reader } = this.#parts;
    const rows: { readonly table: string; readonly key: string; readonly entry: number }[] = [];
    for (const stored of await reader().entries(from, { limit: to - from })) {
      if (!COLD.test(stored.text)) continue;
      const written = (await reader().part(decodeEntry(stored), "r")) as readonly (readonly [string, string])[];
      for (const [table, key] of written ?? []) {
        if (table !== KEY_TABLE && table !== OUTCOME_TABLE) continue;
        const json = await log.row(table, key);
        if (json !== undefined && entryIn(table, json) <= stored.seq) rows.push({ table, key, entry: stored.seq });
      }
    }
    return rows;
  }
}

/** Whether an entry may have such rows, in its own text or in rows that are kept beside it. */
const COLD = new RegExp(`\\["(${COLD_TABLES.join("|")})",|\\nR`);

/** The entry that a row of such a table points to. */
export function entryIn(table: string, json: string): number {
  return table === KEY_TABLE ? (JSON.parse(json) as KeyRow).seq : Number(json);
}
