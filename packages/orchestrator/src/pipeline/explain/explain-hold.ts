// What a message was held for: by which plugin, since when, and once it is settled by whom, with what, and what was decided
// then. The decision after stands right behind the message that settled it (follow-ups.ts).

import type { Fault } from "../../fault/fault.ts";
import { type DecodedEntry, decodeEntry } from "../../log/entry.ts";
import type { Reader } from "../../plugin/reader.ts";
import { MOST_FOLLOW_UPS } from "../follow-ups.ts";
import { type HoldRow, holdTable } from "../kernel-tables.ts";
import { settlingEntry } from "../outcomes.ts";
import type { Body, Trace } from "../recorder.ts";
import { partsOf } from "./explain-parts.ts";

export interface HoldExplanation {
  readonly plugin?: string;
  readonly name?: string;
  /** What whoever settles it should know. */
  readonly details?: unknown;
  readonly clause?: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly settled?: {
    readonly entry: number;
    readonly id: string;
    readonly principal: string;
    readonly at: number;
    readonly outcome: unknown;
  };
  /** The decision after that, which is an entry and a message of its own. */
  readonly decided?: {
    readonly entry: number;
    readonly id: string;
    readonly verdict: string;
    readonly error?: Fault;
  };
  /** It was never decided again: that message ended the hold with what became of it. */
  readonly ended?: {
    readonly entry: number;
    readonly id: string;
    readonly message: string;
    readonly principal: string;
    readonly at: number;
  };
}

/** Of a message that was held; `undefined` where it was not. */
export async function holdOf(reader: Reader, entry: DecodedEntry): Promise<HoldExplanation | undefined> {
  const { header } = entry;
  if (header.verdict !== "held") return undefined;
  const { rows, trace } = await partsOf(reader, entry);
  const row = rows.find(([table, key]) => table === holdTable.name && key === header.id)?.[2] as HoldRow | undefined;
  const said = trace?.verdicts.find(({ kind }) => kind === "hold");
  const plugin = said?.plugin ?? row?.plugin;
  const name = row?.hold.name ?? (trace?.data as { held?: string } | undefined)?.held;
  const decided = reader.get(holdTable, header.id) === undefined ? await settlingEntry(reader, entry) : undefined;
  return {
    ...(plugin === undefined ? {} : { plugin }),
    ...(name === undefined ? {} : { name }),
    ...(row?.hold.details === undefined ? {} : { details: row.hold.details }),
    ...(said?.clause === undefined ? {} : { clause: said.clause }),
    since: header.at,
    ...(decided === undefined ? {} : await settledAndDecided(reader, header.id, decided)),
  };
}

async function settledAndDecided(
  reader: Reader,
  id: string,
  decided: DecodedEntry,
): Promise<Pick<HoldExplanation, "settled" | "decided" | "ended">> {
  const { header, seq } = decided;
  const { error, settles } = ((await reader.part(decided, "t")) ?? {}) as Partial<Trace>;
  if (settles?.some((one) => one.id === id)) {
    const { id: by, message, principal, at } = header;
    return { ended: { entry: seq, id: by, message, principal, at } };
  }
  const settled = await settleBefore(reader, id, seq);
  return {
    ...(settled === undefined ? {} : { settled }),
    decided: { entry: seq, id: header.id, verdict: header.verdict, ...(error === undefined ? {} : { error }) },
  };
}

/** The settlement that led to the decision at `seq`; between the two lies what followed from the settlement, if anything. */
async function settleBefore(reader: Reader, id: string, seq: number): Promise<HoldExplanation["settled"]> {
  const first = seq - 1 - MOST_FOLLOW_UPS;
  for (let from = seq - 1, limit = 2; from >= Math.max(1, first); limit *= 4) {
    const page = await reader.entries(from, { limit, reverse: true });
    for (const stored of page) {
      if (!stored.text.includes('"message":"message.settle"')) continue;
      const entry = decodeEntry(stored);
      const body = (await reader.part(entry, "b")) as Body | undefined;
      const data = body?.data as { id: string; outcome: unknown } | undefined;
      // An erased one tells no more whom it settled; the nearest is the one.
      if (data !== undefined && data.id !== id) continue;
      const { header } = entry;
      return {
        ...{ entry: entry.seq, id: header.id, principal: header.principal, at: header.at },
        outcome: data?.outcome,
      };
    }
    const last = page.at(-1);
    if (last === undefined) return undefined;
    from = last.seq - 1;
  }
  return undefined;
}
