// `npm run simulate -- --seeds N --nodes N [--from S] [--jobs J] [--json]`: many seeds, judged by the oracle.
// `--seed S [--trace]`: that one. `--script FILE`: that one, as it was printed. `--mutants`: whether faults are found.
// `--growth`: how the protocol grows. Exit code 0: all held; 1: something did not; 64: that is no way to call it.

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as simulator from "@capstan/peer/simulator";
import { type Job, runJobs } from "./crew.ts";
import { measureGrowth } from "./growth.ts";
import { hunt } from "./hunt.ts";
import { MUTANTS } from "./mutants.ts";
import { lineOf } from "./oracle/violation.ts";
import { shrinkScript, sizeOf } from "./shrink-script.ts";
import { linesOf, Totals } from "./totals.ts";
import { runTrial, type Script } from "./trial.ts";

const USAGE = 64;
/** Of twenty seeds one runs again in another process. */
const AGAIN = 20;
const SHRINKING = { runs: 600, time: 180_000 };
const MOST_SHRUNK = 3;
const PROGRESS = 20;

const options = usage(() => {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100" },
      nodes: { type: "string", default: "100" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      script: { type: "string" },
      trace: { type: "boolean", default: false },
      mutants: { type: "boolean", default: false },
      only: { type: "string" },
      growth: { type: "boolean", default: false },
      jobs: { type: "string", default: String(availableParallelism()) },
      json: { type: "boolean", default: false },
    },
  });
  const whole = (name: "seeds" | "nodes" | "from" | "seed" | "jobs", least: number): number => {
    const value = Number(values[name]);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new Error(`--${name} ${values[name]}: must be a whole number from ${least} on`);
  };
  const modes = [values.seed, values.script].filter((one) => one !== undefined).length;
  if (modes + Number(values.mutants) + Number(values.growth) > 1)
    throw new Error("--seed, --script, --mutants and --growth: one of them at a time");
  if (values.trace && modes === 0) throw new Error("--trace: of one run, with --seed or --script");
  return {
    ...values,
    seeds: whole("seeds", 1),
    nodes: whole("nodes", 2),
    from: whole("from", 0),
    seed: values.seed === undefined ? undefined : whole("seed", 0),
    jobs: whole("jobs", 1),
  };
});

process.exitCode = (await run()) ? 0 : 1;

function run(): boolean | Promise<boolean> {
  const { seed, nodes, script, jobs, json } = options;
  if (options.growth) return measureGrowth({ json });
  if (options.mutants)
    return hunt(
      MUTANTS.filter(({ name }) => options.only === undefined || name === options.only),
      { processes: jobs, json },
    );
  if (script !== undefined) return one(JSON.parse(readFileSync(script, "utf8")) as Script);
  if (seed !== undefined) return one(simulator.randomScript({ seed, nodes }));
  return many();
}

/** One run, with its trace where it is asked for, and its hash. */
function one(script: Script): boolean {
  const { hash, kinds, violations, ...rest } = runTrial(simulator, script, options.trace ? say : undefined);
  if (options.json) {
    say(JSON.stringify({ hash, kinds, violations, ...rest }));
    return violations.length === 0;
  }
  for (const violation of violations) say(`VIOLATION ${lineOf(violation)}`);
  const totals = new Totals();
  totals.add({ hash, kinds, violations, ...rest });
  for (const line of linesOf(totals.summary())) say(line);
  say(`trace ${hash}`);
  return violations.length === 0;
}

async function many(): Promise<boolean> {
  const { seeds, nodes, from, jobs, json } = options;
  const totals = new Totals();
  const hashes = new Map<number, string>();
  const failed = new Map<number, string>();
  const startedAt = performance.now();
  const all: Job[] = Array.from({ length: seeds }, (_, at) => ({ seed: from + at, nodes }));
  await runJobs(all, { processes: jobs }, (report, job) => {
    const seed = seedOf(job);
    if ("threw" in report) {
      failed.set(seed, "threw");
      console.error(`seed ${seed}: threw: ${report.threw}`);
      return;
    }
    const { outcome } = report;
    totals.add(outcome);
    hashes.set(seed, outcome.hash);
    const [kind] = Object.keys(outcome.kinds);
    if (kind !== undefined) {
      failed.set(seed, kind);
      for (const violation of outcome.violations) console.error(`seed ${seed}: ${lineOf(violation)}`);
    }
    if (totals.trials % Math.ceil(seeds / PROGRESS) === 0) progress(totals, startedAt);
    return;
  });
  const unequal = await again(
    [...hashes.keys()].sort((a, b) => a - b),
    hashes,
  );
  const summary = {
    ...totals.summary(),
    nodes,
    failedSeeds: failed.size,
    seedsRunAgain: unequal.again,
    unequalTraces: unequal.seeds.length,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
  if (json) say(JSON.stringify(summary));
  else for (const line of linesOf(summary)) say(line);
  for (const seed of unequal.seeds) say(`seed ${seed}: two runs, two traces`);
  for (const [seed, kind] of [...failed].slice(0, MOST_SHRUNK)) explain(seed, kind, hashes.get(seed));
  return failed.size === 0 && unequal.seeds.length === 0;
}

/** A twentieth of the seeds, one at least, in processes that have run nothing else before. */
async function again(
  seeds: readonly number[],
  hashes: ReadonlyMap<number, string>,
): Promise<{ readonly again: number; readonly seeds: readonly number[] }> {
  const { nodes, jobs } = options;
  const sample = seeds.filter((_, at) => at % AGAIN === 0);
  const unequal: number[] = [];
  await runJobs(
    sample.map((seed) => ({ seed, nodes })),
    { processes: jobs },
    (report, job) => {
      const seed = seedOf(job);
      if ("threw" in report || report.outcome.hash !== hashes.get(seed)) unequal.push(seed);
      return undefined;
    },
  );
  return { again: sample.length, seeds: unequal };
}

/** A seed that failed: whether it does so again, and how short a script does. */
function explain(seed: number, kind: string, hash: string | undefined): void {
  const script = simulator.randomScript({ seed, nodes: options.nodes });
  const repeated = repeat(script);
  say(`seed ${seed} (${kind}): ${repeated === hash ? "the same trace again" : `another trace: ${repeated}`}`);
  const { script: short, runs } = shrinkScript(simulator, script, kind, SHRINKING);
  const file = join(tmpdir(), `capstan-simulation-${seed}.json`);
  writeFileSync(file, JSON.stringify(short));
  say(`seed ${seed}: shrunk from ${sizeOf(script)} to ${sizeOf(short)} parts in ${runs} runs; --script ${file}`);
  say(simulator.printScript(short));
}

function repeat(script: Script): string {
  try {
    return runTrial(simulator, script).hash;
  } catch (thrown) {
    return `threw ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

function progress(totals: Totals, startedAt: number): void {
  const { seeds, violations, simulatedHours } = totals.summary();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(`${seeds} seeds, ${simulatedHours} simulated hours, ${violations} violations, ${seconds} s`);
}

/** Every line goes the same way: beside a slow reader, what console.log writes overtakes what the stream still holds. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seedOf(job: Job): number {
  return "script" in job ? job.script.seed : job.seed;
}

/** What is asked in the wrong way ends here. */
function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    console.error(thrown instanceof Error ? thrown.message : String(thrown));
    console.error("usage: npm run simulate -- --seeds N --nodes N [--from S] [--jobs J] [--json]");
    console.error("       npm run simulate -- --seed S --nodes N [--trace] | --script FILE [--trace]");
    console.error("       npm run simulate -- --mutants [--only NAME] [--jobs J] | --growth [--json]");
    process.exit(USAGE);
  }
}
