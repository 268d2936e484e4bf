// A process that runs trials: a JSON line for each on its standard input, a JSON line for each on its standard output.
// `bun trial-process.ts [<a simulator's index.ts, instead of ours>]`

import { createInterface } from "node:readline";
import type { Job, Report } from "./crew.ts";
import { runTrial, type Simulator } from "./trial.ts";

const [module = "@capstan/peer/simulator"] = process.argv.slice(2);
const simulator = (await import(module)) as Simulator;

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job;
  process.stdout.write(`${JSON.stringify(report(job))}\n`);
}

function report(job: Job): Report {
  try {
    const script = "script" in job ? job.script : simulator.randomScript({ seed: job.seed, nodes: job.nodes });
    return { outcome: runTrial(simulator, script) };
  } catch (thrown) {
    // A fault in the protocol may well throw: it is found, and the next seed runs.
    return { threw: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
  }
}
