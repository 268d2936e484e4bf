// Whether the oracle finds faults that were put into the protocol; and whether it finds none where there is none, in a copy
// that was made in the same way.

import { runJobs } from "./crew.ts";
import { growMutant } from "./mutant-tree.ts";
import type { Mutant } from "./mutants.ts";
import { lineOf } from "./oracle/violation.ts";

export interface Hunt {
  readonly processes: number;
  readonly nodes: number;
  /** A mutant that is not found in so many has got away; and so many the unchanged copy has to pass. */
  readonly seeds: number;
  /** Seconds a seed, for faults that never end. */
  readonly patience: number;
}

export interface Catch {
  /** How many seeds it took. */
  readonly seeds: number;
  readonly by: { readonly seed: number; readonly kind: string; readonly line: string } | undefined;
}

const HUNT = { nodes: 20, seeds: 60, patience: 120 };

/** @returns whether all were caught, and the unchanged copy was not. */
export async function hunt(
  mutants: readonly Mutant[],
  { json, processes }: { readonly json: boolean; readonly processes: number },
): Promise<boolean> {
  const control = await huntOne(undefined, { ...HUNT, processes });
  tell("(unchanged)", "nothing", control, control.by === undefined, json);
  let good = control.by === undefined;
  let caught = 0;
  for (const mutant of mutants) {
    const found = await huntOne(mutant, { ...HUNT, processes });
    if (found.by === undefined) good = false;
    else caught += 1;
    tell(mutant.name, mutant.breaks, found, found.by !== undefined, json);
  }
  if (!json) console.log(`${caught} of ${mutants.length} faults caught`);
  return good;
}

export async function huntOne(mutant: Mutant | undefined, { processes, nodes, seeds, patience }: Hunt): Promise<Catch> {
  using tree = growMutant(mutant);
  const jobs = Array.from({ length: seeds }, (_, at) => ({ seed: at + 1, nodes }));
  const found: NonNullable<Catch["by"]>[] = [];
  let done = 0;
  await runJobs(jobs, { processes, patience, module: tree.module }, (report, job) => {
    done += 1;
    const seed = job.seed;
    if ("threw" in report) found.push({ seed, kind: "threw", line: report.threw.split("\n")[0] ?? "" });
    else {
      const [first] = report.outcome.violations;
      if (first !== undefined) found.push({ seed, kind: first.kind, line: lineOf(first) });
    }
    return found.length > 0 ? "enough" : undefined;
  });
  return { seeds: done, by: found[0] };
}

function tell(name: string, breaks: string, { seeds, by }: Catch, good: boolean, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ mutant: name, breaks, seeds, ...by }));
    return;
  }
  const said = by === undefined ? `not caught in ${seeds} seeds` : `caught by seed ${by.seed}: ${by.line}`;
  console.log(`${good ? "  " : "! "}${name.padEnd(28)} ${said}`);
}
