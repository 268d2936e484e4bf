// Rehearsal: what was decided, decided again under a change, with the facts that were recorded. Each message is compared on the
// history that happened: the rows that count are the recorded ones, whatever the change would have made of those before it.
// Nothing is appended, prepared, started or carried out, and the state's digest shows it.

import { type DecodedEntry, decodeEntry } from "../log/entry.ts";
import type { StoredEntry } from "../log/log.ts";
import { kernelPlugin } from "../pipeline/kernel-plugin.ts";
import { type PipelineRow, pipelineTable } from "../pipeline/kernel-tables.ts";
import { type Composition, compose } from "../plugin/composition.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { Rehearsing } from "./decide-again.ts";
import { InForce } from "./in-force.ts";
import { sameJudgement, told } from "./judgement.ts";
import { recordedMessage } from "./recorded-message.ts";
import { rowsOf } from "./recorded-rows.ts";
import type { ReplayedRows } from "./replayed-rows.ts";
import { type Difference, type Rehearsal, Tally } from "./report.ts";
import { erasedBy, restates, writtenBy } from "./restatement.ts";
import type { RowOverride } from "./row-override.ts";
import { digestOfLog, digestOfReplay } from "./state-digest.ts";
import { entriesOf, type History, survey } from "./survey.ts";

/** What to rehearse: a history, and the change to it. */
export interface RehearseOptions {
  /** Read, and nothing else. */
  readonly log: History;
  /** In the order in which they would decide. Only their `decide` runs. */
  readonly plugins: readonly AnyPlugin[];
  readonly changes?: readonly RowOverride[];
  /** How many of the newest messages; default all that are kept. */
  readonly last?: number;
  onDifference?(difference: Difference): void;
}

const ADOPTED = "pipeline.adopt";

/** @throws FaultError COMPOSITION_INVALID where the plugins do not fit together, LOG_DAMAGED where the log cannot be read */
export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  const { log, plugins, changes = [], last = Number.POSITIVE_INFINITY } = options;
  // What a lost effect would be recorded as makes no difference to a verdict, and is its handler's to say.
  const composition = compose([...plugins, kernelPlugin({ list: () => [], lost: () => undefined })]);
  const entries = { from: Math.max(log.first, log.head - last + 1), to: log.head };
  const seen = await survey(log, composition);
  const tables = [...new Set([...seen.tables, ...loggedTables(composition)])];
  const before = await digestOfLog(log, tables);
  const run = new Run(options, composition, seen.before, new Rehearsing(composition, changes));
  for await (const stored of entriesOf(log, log.first, entries.to)) await run.take(stored, stored.seq >= entries.from);
  const after = await digestOfLog(log, tables);
  const replayed = seen.before.whole ? digestOfReplay(seen.before, tables) : undefined;
  return {
    ...run.tally.counts,
    notes: run.inForce.notes(composition, seen.tables),
    state: { before, after, replayed, same: before === after && (replayed ?? after) === after },
    entries,
  };
}

class Run {
  readonly tally = new Tally();
  inForce: InForce;

  constructor(
    readonly options: RehearseOptions,
    readonly composition: Composition,
    readonly replayed: ReplayedRows,
    readonly rehearsing: Rehearsing,
  ) {
    this.inForce = inForceOf(replayed);
  }

  /** One entry: its message is compared where it is to be, and then what it wrote is what is there. */
  async take(stored: StoredEntry, compared: boolean): Promise<void> {
    const entry = decodeEntry(stored);
    if (compared) await this.#compare(entry);
    await this.#replay(entry);
  }

  async #compare(entry: DecodedEntry): Promise<void> {
    const { tally } = this;
    if (entry.header.message === ADOPTED) {
      tally.skipped++;
      return;
    }
    const recorded = await recordedMessage(this.options.log, entry);
    if ("undecidable" in recorded) return tally.undecidable(entry, recorded.undecidable);
    const was = recorded.judged;
    const now = this.rehearsing.decideAgain(recorded, this.replayed, this.inForce);
    if ("undecidable" in now) return tally.undecidable(entry, now.undecidable);
    if (sameJudgement(was, now)) {
      tally.same++;
      return;
    }
    const difference = tally.differs(entry, told(was, now), told(now, was));
    this.options.onDifference?.(difference);
  }

  async #replay(entry: DecodedEntry): Promise<void> {
    const { composition, replayed } = this;
    const rows = await rowsOf(this.options.log, entry);
    if (rows === undefined) {
      for (const table of await writtenBy(this.options.log, entry, composition)) replayed.lose(table, entry.seq);
    } else if (restates(entry.header, rows)) replayed.restate(rows);
    else replayed.apply(rows);
    const erased = await erasedBy(this.options.log, entry);
    if (erased !== undefined) replayed.recover(erased);
    if (rows?.some(([table]) => table === pipelineTable.name) ?? true) this.inForce = inForceOf(replayed);
  }
}

function loggedTables({ tables }: Composition): readonly string[] {
  return tables.filter(({ kind }) => kind === "logged").map(({ name }) => name);
}

/** The newest composition that history has come to. */
function inForceOf(replayed: ReplayedRows): InForce {
  let newest: readonly [string, unknown] | undefined;
  for (const row of replayed.rows(pipelineTable.name)) if (newest === undefined || row[0] > newest[0]) newest = row;
  return new InForce(newest?.[1] as PipelineRow | undefined);
}
