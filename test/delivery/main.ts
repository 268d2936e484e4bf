// `npm run deliveries -- [--publications N] [--seed N] [--subscribers N] [--rounds N]`. Ends with 1 where a subscriber's book is wrong, or one that is
// stuck changed the others' p99 by more than a fifth.

import { parseArgs } from "node:util";
import { measureNeighbours } from "./neighbours.ts";
import { runTrial } from "./trial.ts";

const MOST_CHANGE = 1.2;

const { values } = parseArgs({
  options: {
    publications: { type: "string", default: "100000" },
    subscribers: { type: "string", default: "48" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    rounds: { type: "string", default: "11" },
  },
});
const [publications, subscribers, seed, rounds] = [
  values.publications,
  values.subscribers,
  values.seed,
  values.rounds,
].map(Number) as [number, number, number, number];
if (![publications, subscribers, seed, rounds].every((one) => Number.isInteger(one) && one >= 0)) {
  process.stderr.write("deliveries: --publications, --subscribers, --seed and --rounds are whole numbers\n");
  process.exit(64); // sysexits.h: wrong usage
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const number = (value: number): string => value.toLocaleString("en");

say(`seed ${seed}: ${number(publications)} publications, ${subscribers} subscribers that join, leave, die and return`);
const trial = await runTrial({ publications, seed, subscribers });
say(`${trial.seconds.toFixed(1)} s; ${number(trial.sessions)} sessions of subscribers`);
say(
  `subscribers: ${number(trial.handed)} handed once and in order; ${number(trial.repeated)} once more, of what they had not acknowledged`,
);
say(`receivers: ${number(trial.received)} handed, once and in order`);
say(`the node's memory at the end: ${Math.round(trial.memory / 1024 / 1024)} MiB`);
say(`wrong: ${trial.wrong.length === 0 ? "nothing" : ""}`);
for (const wrong of trial.wrong) say(`  ${wrong}`);
let failed = trial.wrong.length > 0;

if (rounds > 0) {
  const { alone, beside, ratio, samples } = await measureNeighbours({ rounds });
  say(`from performing to being handed it, ${number(samples)} deliveries, medians of ${rounds} rounds by turns:`);
  say(`  p50 ${alone.p50.toFixed(2)} ms, p99 ${alone.p99.toFixed(2)} ms`);
  say(
    `  beside one that never reads and one that never answers: p50 ${beside.p50.toFixed(2)} ms, p99 ${beside.p99.toFixed(2)} ms`,
  );
  say(`  p99 ratio ${ratio.toFixed(2)}, ${MOST_CHANGE} at most`);
  failed ||= !(ratio <= MOST_CHANGE);
}
process.stdout.end(() => process.exit(failed ? 1 : 0));
