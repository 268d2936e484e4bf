// `npm run follow -- [--kills N] [--seed N] [--json]`. Ends with 1 where a publication is missing, is there twice, or is out of order.

import { parseArgs } from "node:util";
import { runTrial } from "./trial.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    json: { type: "boolean", default: false },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (![kills, seed].every((one) => Number.isInteger(one) && one >= 0)) {
  process.stderr.write("follow: --kills and --seed are whole numbers\n");
  process.exit(64); // sysexits.h: wrong usage
}

const say = (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
say(`seed ${seed}: ${kills} kills of four nodes, a subscription at a to what c publishes, by b and by d`);
const report = await runTrial({ kills, seed, say });
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  const { seconds, published, askedAgain, read, received, receivedAgain, ways, longestSilenceMs, wrong } = report;
  say(
    `${seconds.toFixed(1)} s; killed ${Object.entries(report.kills)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ")}`,
  );
  say(`published ${published}, ${askedAgain} calls asked again; read ${read}; longest silence ${longestSilenceMs} ms`);
  say(
    `by ${Object.entries(ways)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ")} while a node was down`,
  );
  say(`the receiver was handed ${received}, ${receivedAgain} of them once more`);
  say(`wrong: ${wrong.length === 0 ? "nothing" : ""}`);
  for (const one of wrong) say(`  ${one}`);
}
process.stdout.end(() => process.exit(report.wrong.length > 0 ? 1 : 0));
