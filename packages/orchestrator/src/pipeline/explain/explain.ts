// Why something was decided as it was: a message's entry, what each plugin of the composition then in force said to it, what
// it was held for, how often it was tried, what came of it and what it led to. Everything is read from the log, by links that
// it has (ids, outcomes, rows): the log is never looked through. Nothing is decided again.

import { type Fault, FaultError } from "../../fault/fault.ts";
import type { DecodedEntry } from "../../log/entry.ts";
import type { Reader } from "../../plugin/reader.ts";
import { erasedBy } from "../erased-by.ts";
import { type ErasureRow, effectTable, holdTable, OUTCOME_TABLE, pipelineTable } from "../kernel-tables.ts";
import { missingEntry } from "../missing-entry.ts";
import { entryAt, entryOf, OUTCOME_WINDOW, outcomeOf } from "../outcomes.ts";
import type { Trace } from "../recorder.ts";
import {
  type AttemptExplanation,
  attemptsOf,
  type RetryExplanation,
  type RunningExplanation,
} from "./explain-attempts.ts";
import { type FollowedExplanation, followedBy } from "./explain-followed.ts";
import { type HoldExplanation, holdOf } from "./explain-hold.ts";
import { clauseOf, type ErasedPart, partsOf } from "./explain-parts.ts";

/** One plugin's part in a decision. */
export interface PluginExplanation {
  readonly plugin: string;
  /** `passed`: said next and nothing more. `not reached`: one before it had stopped. `erased`: nobody can tell any more. */
  readonly verdict: "passed" | "next" | "done" | "hold" | "refused" | "not reached" | "erased";
  readonly clause?: string;
  readonly wrote?: number;
  /** The topic that it published the message's data under. */
  readonly publishes?: string;
}

export interface OutcomeExplanation {
  /** `erased`: there was one, and what tells of it is gone. */
  readonly state: "pending" | "done" | "failed" | "erased";
  readonly entry?: number;
  readonly error?: Fault;
  /** The message that it came with: of an entry of its own, or within the message's own where it came at once. */
  readonly message?: string;
  readonly clause?: string;
  /** The topic that it was published under. */
  readonly publishes?: string;
}

/** Why a message was decided as it was, and what came of it. What `log.explain` answers. */
export interface Explanation {
  readonly id: string;
  readonly entry: number;
  readonly message: string;
  readonly data: unknown;
  readonly principal: string;
  readonly grant: string;
  readonly at: number;
  readonly verdict: string;
  readonly error?: Fault;
  readonly plugins: readonly PluginExplanation[];
  readonly cause?: string;
  /** The chain of causes, nearest first. */
  readonly because: readonly { readonly id: string; readonly message: string; readonly principal: string }[];
  readonly hold?: HoldExplanation;
  /** What it waits for now: it was held again, where that is not its own id. */
  readonly waitsFor?: { readonly id: string; readonly hold: string; readonly plugin: string };
  /** Messages that followed from it in its own commit, in order. */
  readonly followed?: readonly FollowedExplanation[];
  /** How each try ended, oldest first: where there was more than one, or the only one led to more. */
  readonly attempts?: readonly AttemptExplanation[];
  /** Later messages that had it tried again, oldest first. */
  readonly retries?: readonly RetryExplanation[];
  /** The try that runs, or waits to. */
  readonly running?: RunningExplanation;
  /** Absent where the message is its own outcome; `pending` where there is none yet. */
  readonly outcome?: OutcomeExplanation;
  readonly rows: readonly (readonly [string, string, unknown?])[];
  /** Parts of its entry that were erased: what they told of is missing here. */
  readonly erased?: readonly ErasedPart[];
  /** Which entry erased each of them. */
  readonly erasedBy?: ErasureRow;
  /** Something that it leads to or came of is older than the oldest entry that the log keeps. */
  readonly gone?: true;
}

const MOST_CAUSES = 32;

/** @throws FaultError MESSAGE_NOT_FOUND, HISTORY_GONE */
export async function explain(reader: Reader, id: string): Promise<Explanation> {
  const entry = await entryOf(reader, id);
  if (entry === undefined) throw new FaultError(await missingEntry(reader, id));
  const { header } = entry;
  const { body, rows, trace, erased } = await partsOf(reader, entry);
  const causes = await causesOf(reader, entry);
  const hold = await holdOf(reader, entry);
  // A held message goes on as the one that was decided again.
  const goesOn = hold === undefined ? entry : await lastDecided(reader, entry);
  const now = hold === undefined ? undefined : reader.get(holdTable, goesOn.header.id);
  const outcome = await outcomeExplained(reader, entry, goesOn, trace);
  const tries = await attemptsOf(reader, goesOn, outcome?.entry);
  const followed = await followedBy(reader, entry, trace?.led);
  const by = erasedBy(reader, entry.seq);
  const gone = causes.gone || tries.gone;
  return {
    id: header.id,
    entry: entry.seq,
    message: header.message,
    data: body?.data,
    principal: header.principal,
    grant: header.grant,
    at: header.at,
    verdict: header.verdict,
    ...(trace?.error === undefined ? {} : { error: trace.error }),
    plugins: pluginsOf(reader, entry.seq, trace),
    ...(header.cause === undefined ? {} : { cause: header.cause }),
    because: causes.because,
    ...(hold === undefined ? {} : { hold }),
    ...(now === undefined ? {} : { waitsFor: { id: goesOn.header.id, hold: now.hold.name, plugin: now.plugin } }),
    ...(followed.length === 0 ? {} : { followed }),
    ...(tries.worthTelling ? { attempts: tries.attempts } : {}),
    ...(tries.retries.length === 0 ? {} : { retries: tries.retries }),
    ...(tries.running === undefined ? {} : { running: tries.running }),
    ...(outcome === undefined ? {} : { outcome }),
    rows,
    ...(erased.length === 0 ? {} : { erased }),
    ...(by === undefined ? {} : { erasedBy: by }),
    ...(gone ? { gone } : {}),
  };
}

async function causesOf(reader: Reader, { header }: DecodedEntry) {
  const because: Explanation["because"][number][] = [];
  let gone = false;
  for (let cause = header.cause; cause !== undefined && because.length < MOST_CAUSES; ) {
    const one = await entryOf(reader, cause);
    gone = one === undefined && reader.first > 1;
    if (one === undefined) break;
    because.push({ id: one.header.id, message: one.header.message, principal: one.header.principal });
    cause = one.header.cause;
  }
  return { because, gone };
}

/** How often a message may be held one time after the other before it is not followed any further. */
const MOST_HOLDS = 16;

async function lastDecided(reader: Reader, first: DecodedEntry): Promise<DecodedEntry> {
  let last = first;
  for (let holds = 0; holds < MOST_HOLDS; holds++) {
    const decided = (await holdOf(reader, last))?.decided;
    const next = decided === undefined ? undefined : await entryAt(reader, decided.entry);
    if (next === undefined) return last;
    last = next;
  }
  return last;
}

async function outcomeExplained(
  reader: Reader,
  entry: DecodedEntry,
  goesOn: DecodedEntry,
  trace: Trace | undefined,
): Promise<OutcomeExplanation | undefined> {
  if (trace?.pending !== true && trace?.outcome === undefined) return undefined;
  const found = await outcomeOf(reader, entry);
  if (found === undefined) {
    const by = await erasedOutcome(reader, goesOn);
    return by === undefined ? { state: "pending" } : { state: "erased", entry: by };
  }
  if (found.outcome.kind === "failed" && found.outcome.error.code === "PART_ERASED")
    return { state: "erased", entry: found.seq };
  const atOnce = found.seq === entry.seq ? trace.outcome : undefined;
  const message = atOnce?.message ?? (await entryAt(reader, found.seq))?.header.message;
  const clause = atOnce === undefined ? undefined : clauseOf(atOnce.verdicts);
  const verdicts = atOnce?.verdicts ?? (await settlingVerdicts(reader, found.seq));
  const publishes = verdicts.find((verdict) => verdict.publishes !== undefined)?.publishes;
  return {
    state: found.outcome.kind,
    entry: found.seq,
    ...(found.outcome.kind === "failed" ? { error: found.outcome.error } : {}),
    ...(message === undefined ? {} : { message }),
    ...(clause === undefined ? {} : { clause }),
    ...(publishes === undefined ? {} : { publishes }),
  };
}

async function settlingVerdicts(reader: Reader, seq: number): Promise<Trace["verdicts"]> {
  const entry = await entryAt(reader, seq);
  const trace = entry === undefined ? undefined : ((await reader.part(entry, "t")) as Trace | undefined);
  return trace?.verdicts ?? [];
}

/** The entry that settled it where the trace of that was erased: with it went what says so. */
async function erasedOutcome(reader: Reader, { header, seq }: DecodedEntry): Promise<number | undefined> {
  if (reader.get(holdTable, header.id) !== undefined) return undefined;
  for (const [, { owing }] of reader.rows(effectTable)) if (owing === header.id) return undefined;
  const written = await reader.cold(OUTCOME_TABLE, header.id);
  if (written !== undefined) return Number(written);
  const quoted = `"cause":${JSON.stringify(header.id)}`;
  for (const stored of await reader.entries(seq + 1, { limit: OUTCOME_WINDOW })) {
    if (stored.text.includes(quoted) && /,"t":"/.test(firstLine(stored.text)) && !/\n[tT]/.test(stored.text))
      return stored.seq;
  }
  return undefined;
}

function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}

/** Each plugin of the composition in force at the entry, with what it said. */
function pluginsOf(reader: Reader, seq: number, trace: Trace | undefined): PluginExplanation[] {
  let inForce: { key: string; plugins: readonly { name: string }[] } | undefined;
  for (const [key, row] of reader.rows(pipelineTable)) {
    if (Number(key) <= seq && (inForce === undefined || key > inForce.key)) inForce = { key, plugins: row.plugins };
  }
  const inOrder = inForce?.plugins.map(({ name }) => name) ?? [];
  if (trace === undefined) return inOrder.map((plugin) => ({ plugin, verdict: "erased" }));
  // The kernel's own step is in no recorded composition, and is told of where it said something.
  const names = [...new Set([...inOrder, ...trace.verdicts.map(({ plugin }) => plugin)])];
  const stopper = trace.verdicts.find(({ kind }) => kind !== "next")?.plugin;
  // The kernel itself refuses some (too deep, not prepared): then no plugin was asked.
  let reached = trace.error === undefined || stopper !== undefined;
  return names.map((plugin) => {
    const said = trace.verdicts.find((verdict) => verdict.plugin === plugin);
    const verdict = said?.kind ?? (reached ? "passed" : "not reached");
    if (plugin === stopper) reached = false;
    return {
      plugin,
      verdict,
      ...(said?.clause === undefined ? {} : { clause: said.clause }),
      ...(said?.wrote === undefined ? {} : { wrote: said.wrote }),
      ...(said?.publishes === undefined ? {} : { publishes: said.publishes }),
    };
  });
}
