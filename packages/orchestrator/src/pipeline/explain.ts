// Why something was decided as it was: a message's entry, what each plugin of the composition then in force said to it,
// what came of it and what it led to. Everything is read from the log; nothing is decided again.

import type { Fault } from "../fault/fault.ts";
import { FaultError, fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import type { Reader } from "../plugin/plugin.ts";
import { pipelineTable } from "./kernel-tables.ts";
import { entryOf, outcomeOf } from "./outcomes.ts";
import type { Trace } from "./recorder.ts";

export interface PluginExplanation {
  readonly plugin: string;
  /** `passed`: said next and nothing more. `not reached`: one before it had stopped. */
  readonly verdict: "passed" | "next" | "done" | "hold" | "refused" | "not reached";
  readonly clause?: string;
  readonly wrote?: number;
}

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
  /** Absent where the message is its own outcome; `pending` where there is none yet. */
  readonly outcome?: { readonly state: "pending" | "done" | "failed"; readonly entry?: number; readonly error?: Fault };
  readonly rows: readonly (readonly [string, string, unknown?])[];
}

const MOST_CAUSES = 32;

/** @throws FaultError MESSAGE_NOT_FOUND */
export async function explain(reader: Reader, id: string): Promise<Explanation> {
  const entry = await entryOf(reader, id);
  if (entry === undefined)
    throw new FaultError(fault("MESSAGE_NOT_FOUND", `no entry for "${printable(id.slice(0, 80))}"`));
  const { header } = entry;
  const trace = (entry.part("t") ?? { verdicts: [] }) as Trace;
  const body = entry.part("b") as { data?: unknown } | undefined;
  const because = [];
  for (let cause = header.cause; cause !== undefined && because.length < MOST_CAUSES; ) {
    const one = await entryOf(reader, cause);
    if (one === undefined) break;
    because.push({ id: one.header.id, message: one.header.message, principal: one.header.principal });
    cause = one.header.cause;
  }
  return {
    id: header.id,
    entry: entry.seq,
    message: header.message,
    data: body?.data,
    principal: header.principal,
    grant: header.grant,
    at: header.at,
    verdict: header.verdict,
    ...(trace.error === undefined ? {} : { error: trace.error }),
    plugins: pluginsOf(reader, entry.seq, trace),
    ...(header.cause === undefined ? {} : { cause: header.cause }),
    because,
    ...(trace.pending ? { outcome: await outcome() } : {}),
    rows: (entry.part("r") ?? []) as Explanation["rows"],
  };

  async function outcome(): Promise<NonNullable<Explanation["outcome"]>> {
    const found = await outcomeOf(reader, entry as NonNullable<typeof entry>);
    if (found === undefined) return { state: "pending" };
    if (found.outcome.kind === "failed") return { state: "failed", entry: found.seq, error: found.outcome.error };
    return { state: "done", entry: found.seq };
  }
}

/** Each plugin of the composition in force at the entry, with what it said. */
function pluginsOf(reader: Reader, seq: number, trace: Trace): PluginExplanation[] {
  let inForce: { key: string; plugins: readonly { name: string }[] } | undefined;
  for (const [key, row] of reader.rows(pipelineTable)) {
    if (Number(key) <= seq && (inForce === undefined || key > inForce.key)) inForce = { key, plugins: row.plugins };
  }
  const inOrder = inForce?.plugins.map(({ name }) => name) ?? [];
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
    };
  });
}
