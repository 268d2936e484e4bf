// How often something was tried. The entry that ends a try names the entry that ended the one before (Trace.after), and the
// row of an owed effect names the one that it comes after: from the last to the first there is a link each.

import type { Fault } from "../../fault/fault.ts";
import type { DecodedEntry } from "../../log/entry.ts";
import type { Reader } from "../../plugin/reader.ts";
import { type EffectRow, effectTable } from "../kernel-tables.ts";
import { entryAt, entryOf } from "../outcomes.ts";
import { type FollowedExplanation, followedBy } from "./explain-followed.ts";
import { clauseOf, type ErasedPart, type Parts, partsOf } from "./explain-parts.ts";

export interface AttemptExplanation {
  /** The entry that ended it, and its message. */
  readonly entry: number;
  readonly id: string;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The message that owed it. */
  readonly of: string;
  readonly error?: Fault;
  readonly clause?: string;
  /** The try after it, where this entry owes one, and when that may begin. */
  readonly next?: { readonly attempt: number; readonly notBefore: number };
  readonly followed?: readonly FollowedExplanation[];
  readonly erased?: readonly ErasedPart[];
}

/** A message that had it tried again. */
export interface RetryExplanation {
  readonly id: string;
  readonly entry: number;
  readonly message: string;
  readonly principal: string;
  readonly at: number;
  /** What led to it, where something did. */
  readonly because?: { readonly id: string; readonly message: string; readonly principal: string };
}

export interface RunningExplanation {
  readonly of: string;
  readonly attempt: number;
  readonly notBefore?: number;
}

export interface Attempts {
  readonly attempts: readonly AttemptExplanation[];
  readonly retries: readonly RetryExplanation[];
  readonly running: RunningExplanation | undefined;
  /** Whether there is more to tell than the outcome does. */
  readonly worthTelling: boolean;
  readonly gone: boolean;
}

/** The newest ones; an action is tried a hundred times at most, and by hand as often as anyone likes. */
const MOST_ATTEMPTS = 200;

/** The tries of what the message of `entry` owes. `ended`: the entry that settled it last. */
export async function attemptsOf(reader: Reader, entry: DecodedEntry, ended: number | undefined): Promise<Attempts> {
  const { id } = entry.header;
  const owed = owedNow(reader, id, ended);
  const attempts: AttemptExplanation[] = [];
  let gone = false;
  for (let seq = ended ?? owed?.after; seq !== undefined && seq >= entry.seq && attempts.length < MOST_ATTEMPTS; ) {
    const one: DecodedEntry | undefined = await entryAt(reader, seq);
    gone = one === undefined;
    if (one === undefined) break;
    const parts = await partsOf(reader, one);
    attempts.push(await attempt(reader, one, parts, id));
    seq = one.seq === entry.seq ? undefined : (parts.trace?.after ?? (await afterOfLost(reader, parts, id)));
  }
  attempts.reverse();
  const owing = [...attempts.map(({ of }) => of), ...(owed === undefined ? [] : [owed.owing])];
  const retries = await retriesOf(
    reader,
    [...new Set(owing)].filter((one) => one !== id),
  );
  const tried = attempts.length > 1 || attempts.some(({ followed }) => followed !== undefined);
  return {
    attempts,
    retries,
    running:
      owed === undefined
        ? undefined
        : {
            ...{ of: owed.owing, attempt: owed.attempt },
            ...(owed.notBefore === undefined ? {} : { notBefore: owed.notBefore }),
          },
    worthTelling: tried || (attempts.length > 0 && owed !== undefined),
    gone,
  };
}

/** What is owed of it now: by itself, or by another message after it had ended. */
function owedNow(reader: Reader, id: string, ended: number | undefined): EffectRow | undefined {
  for (const [, row] of reader.rows(effectTable)) {
    if (row.owing === id || (ended !== undefined && row.after === ended)) return row;
  }
  return undefined;
}

async function attempt(reader: Reader, entry: DecodedEntry, parts: Parts, owing: string): Promise<AttemptExplanation> {
  const { header, seq } = entry;
  const { trace, rows, body } = parts;
  const within = header.id === owing ? trace?.outcome : undefined;
  const error = within?.error ?? trace?.settles?.find((one) => one.error !== undefined)?.error ?? faultIn(body?.data);
  const clause = within !== undefined ? clauseOf(within.verdicts) : clauseOf(trace?.verdicts ?? []);
  const again = rows.find(
    ([table, , row]) => table === effectTable.name && (row as EffectRow | undefined)?.after === seq,
  );
  const next = again?.[2] as EffectRow | undefined;
  const followed = within === undefined ? await followedBy(reader, entry, trace?.led) : [];
  return {
    ...{ entry: seq, id: header.id, message: within?.message ?? header.message, at: header.at },
    of: within === undefined ? owedBy(entry, parts) : owing,
    ...(error === undefined ? {} : { error }),
    ...(clause === undefined ? {} : { clause }),
    ...(next === undefined ? {} : { next: { attempt: next.attempt, notBefore: next.notBefore ?? header.at } }),
    ...(followed.length === 0 ? {} : { followed }),
    ...(parts.erased.length === 0 ? {} : { erased: parts.erased }),
  };
}

/** What nobody knows the end of is told by the node, because of no message that owed it; but it settles the one that did. */
function owedBy({ header }: DecodedEntry, { trace }: Parts): string {
  const settled = (trace?.settles ?? []).map(({ id }) => id);
  const cause = header.cause ?? header.id;
  return settled.includes(cause) ? cause : (settled.sort().at(-1) ?? cause);
}

/** An outcome that leads to another try settles nobody; what it says of the fault is in what it was told. */
function faultIn(data: unknown): Fault | undefined {
  const { error } = (data ?? {}) as { error?: Partial<Fault> };
  return typeof error?.code === "string" && typeof error.message === "string" ? (error as Fault) : undefined;
}

/** What nobody knows the end of has no outcome that could name the try before it; what owed it does. */
async function afterOfLost(reader: Reader, { trace }: Parts, id: string): Promise<number | undefined> {
  const others = (trace?.settles ?? []).map((settled) => settled.id).filter((one) => one !== id);
  const newest = others.sort().at(-1);
  const owing = newest === undefined ? undefined : await entryOf(reader, newest);
  if (owing === undefined) return undefined;
  const { rows } = await partsOf(reader, owing);
  return rows
    .map(([table, , row]) => (table === effectTable.name ? (row as EffectRow | undefined)?.after : undefined))
    .find((after) => after !== undefined);
}

async function retriesOf(reader: Reader, ids: readonly string[]): Promise<RetryExplanation[]> {
  const retries: RetryExplanation[] = [];
  for (const id of ids) {
    const entry = await entryOf(reader, id);
    if (entry === undefined) continue;
    const { message, principal, at, cause } = entry.header;
    const led = cause === undefined ? undefined : (await entryOf(reader, cause))?.header;
    retries.push({
      ...{ id, entry: entry.seq, message, principal, at },
      ...(led === undefined ? {} : { because: { id: led.id, message: led.message, principal: led.principal } }),
    });
  }
  return retries;
}
