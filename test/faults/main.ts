// `npm run faults -- --trials 1000 [--seed 1] [--clients 16] [--kind NAME] [--json] [--control | --control-lie]`. Linux, as root.
// Exit code 0: everything held; with a control: it was caught.

import { parseArgs } from "node:util";
import { KINDS } from "./kinds.ts";
import { lostIn, type Round, runTrials } from "./trials.ts";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    clients: { type: "string", default: "16" },
    kind: { type: "string" },
    json: { type: "boolean", default: false },
    /** A build that acknowledges before it has flushed. */
    control: { type: "boolean", default: false },
    /** A disk that calls flushed what it has not. */
    "control-lie": { type: "boolean", default: false },
  },
});
const control = values.control ? "early" : values["control-lie"] ? "lie" : undefined;
const kinds = KINDS.filter(({ name }) => values.kind === undefined || name.includes(values.kind));
const startedAt = performance.now();
const rounds = await runTrials({
  trials: Number(values.trials),
  seed: Number(values.seed),
  clients: Number(values.clients),
  kinds,
  ...(control === undefined ? {} : { control }),
  onRound: (round) => console.log(values.json ? JSON.stringify(round) : lineOf(round)),
});

const trials = rounds.flatMap((round) => round.trials);
const violations = rounds.flatMap((round) => round.violations);
const lost = sum(rounds.map(lostIn));
const recovered = trials.flatMap(({ recoveredMs }) => recoveredMs ?? []).sort((a, b) => a - b);
const summary = {
  trials: trials.length,
  lives: rounds.length,
  acknowledged: sum(trials.map(({ acknowledged }) => acknowledged)),
  lost,
  violations: violations.length,
  refused: sum(trials.map(({ refused }) => refused)),
  gaveUp: sum(rounds.map(({ gaveUp }) => gaveUp)),
  returned: sum(rounds.map(({ returned }) => returned)),
  recoveredMs: { p50: at(0.5), p99: at(0.99), most: at(1) },
  kinds: Object.fromEntries(kinds.map(({ name }) => [name, trials.filter(({ kind }) => kind === name).length])),
  endings: Object.fromEntries(
    Object.entries(Object.groupBy(rounds, ({ ending }) => ending)).map(([name, of]) => [name, of?.length]),
  ),
  seconds: Math.round((performance.now() - startedAt) / 1000),
};
console.log(values.json ? JSON.stringify({ summary }) : JSON.stringify(summary, undefined, 2));
process.exitCode = control === undefined ? (violations.length === 0 ? 0 : 1) : lost > 0 ? 0 : 1;

function lineOf({ trials, ending, duringFault, entries, violations }: Round): string {
  const names = trials.map(({ kind }) => kind).join(", ");
  const line = `${trials.length} trials (${names}); ${ending}${duringFault ? " while it failed" : ""}; ${entries} entries`;
  return (
    line +
    violations
      .slice(0, 8)
      .map((text) => `\n    VIOLATION ${text}`)
      .join("")
  );
}

function at(share: number): number {
  return Math.round((recovered[Math.ceil(share * recovered.length) - 1] ?? 0) * 10) / 10;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
