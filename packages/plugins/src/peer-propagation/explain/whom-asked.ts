// Whom a message's execution was asked of, as the log here has it: the neighbour, and which of its messages that became, or by which
// key it can be found there.

import { decidedAs, type Explanation, entryAt, entryOf, type Reader, siblingId } from "@capstan/orchestrator";
import { type Asked, executionTable } from "../../executor/schema.ts";
import { MESSAGE } from "../forward/far-answer.ts";
import { peerTable } from "../schema.ts";

export interface AskedPeer {
  readonly node: string;
  /** The message there, where an answer named it. */
  readonly id?: string | undefined;
  /** Under which it was asked. */
  readonly key: string;
}

interface Elsewhere {
  readonly execution: string;
  readonly asked: Asked;
}

type Rows = Explanation["rows"];

/** `undefined` where it was asked of nobody, or that was erased. */
export async function whomAsked(reader: Reader, explanation: Explanation): Promise<AskedPeer | undefined> {
  const found = await lastElsewhere(reader, explanation);
  if (found === undefined) return undefined;
  const { execution, asked } = found;
  // By its own row as it is now: another than the first may have been asked since, and by another key.
  const now = reader.get(executionTable, execution)?.elsewhere;
  const key = now?.key ?? asked.key ?? siblingId(execution, "m");
  const to = now?.to ?? asked.to;
  const ended = await endOf(reader, explanation);
  const told = faulting(explanation.outcome?.error?.details) ?? faulting(ended);
  const node = told?.node ?? answering(reader, ended, explanation.at) ?? to;
  return node === undefined ? undefined : { node, key, ...(told?.id === undefined ? {} : { id: told.id }) };
}

/** What the message says that ended it. */
async function endOf(reader: Reader, { outcome }: Explanation): Promise<unknown> {
  const entry = outcome?.entry === undefined ? undefined : await entryAt(reader, outcome.entry);
  return entry === undefined ? undefined : ((await reader.part(entry, "b")) as { data?: unknown } | undefined)?.data;
}

/** By the message itself, or where it was held or tried again, by the last one that had it asked. */
async function lastElsewhere(
  reader: Reader,
  { id, rows, hold, retries = [] }: Explanation,
): Promise<Elsewhere | undefined> {
  const again = retries.at(-1)?.id ?? (hold?.decided === undefined ? undefined : await decidedAs(reader, id));
  return (again === undefined ? undefined : elsewhereIn(await rowsOf(reader, again))) ?? elsewhereIn(rows);
}

async function rowsOf(reader: Reader, id: string): Promise<Rows> {
  const entry = await entryOf(reader, id);
  return entry === undefined ? [] : (((await reader.part(entry, "r")) ?? []) as Rows);
}

function elsewhereIn(rows: Rows): Elsewhere | undefined {
  for (const [table, execution, row] of rows) {
    const { elsewhere: asked } = (row ?? {}) as { readonly elsewhere?: Asked };
    if (table === executionTable.name && asked !== undefined) return { execution, asked };
  }
  return undefined;
}

/** Who said that it failed: noted when the answer was read (far-answer.ts). */
function faulting(told: unknown): { readonly node: string; readonly id?: string } | undefined {
  const { peer } = Object(told) as { readonly peer?: { readonly node?: unknown; readonly id?: unknown } };
  if (typeof peer?.node !== "string") return undefined;
  return { node: peer.node, ...(typeof peer.id === "string" && MESSAGE.test(peer.id) ? { id: peer.id } : {}) };
}

/** Who answered, by the name that it had then. A peer that was configured since by that name is another one, and was asked nothing. */
function answering(reader: Reader, ended: unknown, asked: number): string | undefined {
  const { via } = Object(ended) as { readonly via?: unknown };
  const row = typeof via === "string" ? reader.get(peerTable, via) : undefined;
  return row !== undefined && row.at <= asked ? row.node : undefined;
}
