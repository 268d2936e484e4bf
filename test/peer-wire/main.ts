// `npm run mutate -- [--messages 1000000] [--seed 1]`: mutated messages, from their text to the tables, and
// a tenth as many to a whole speaker.
// Exit code 0: nothing threw, no session was in a state that there is not, and nothing was taken that nobody signed.

import { parseArgs } from "node:util";
import { type MutationRun, runMutations } from "./run-mutations.ts";
import { runSpeakerMutations } from "./speaker-mutations.ts";

const { values } = parseArgs({
  options: { messages: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } },
});
const messages = whole("messages");
const seed = whole("seed");

let failed = false;
report("to the parts: decode, step, read the update, RIB", messages, runMutations);
report("to a whole speaker", Math.ceil(messages / 10), runSpeakerMutations);
process.exitCode = failed ? 1 : 0;

function report(to: string, count: number, mutations: typeof runSpeakerMutations): void {
  const startedAt = performance.now();
  const run = mutations({ messages: count, seed });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${run.mutated} mutated messages ${to}, seed ${seed}, between ${run.right} right ones; ${seconds} s\n`);
  show(run, "came in state", run.states);
  show(run, "became", run.outcomes);
  console.log(`threw       ${run.thrown.length}`);
  console.log(`violations  ${run.violations.length}\n`);
  for (const one of [...run.thrown, ...run.violations.slice(0, 20)]) console.log(`${one}\n`);
  failed ||= run.thrown.length + run.violations.length > 0;
}

function show(run: MutationRun, title: string, counts: ReadonlyMap<string, number>): void {
  console.log(title);
  for (const [what, count] of [...counts].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(count).padStart(9)}  ${((100 * count) / run.mutated).toFixed(2).padStart(5)} %  ${what}`);
  }
  console.log("");
}

function whole(name: "messages" | "seed"): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${name} takes a whole number, not "${values[name]}"`);
  return value;
}
