// `npm run network -- [--rounds 100] [--seed 1] [--nodes 5] [--only KIND] [--json]`: processes that are killed and stopped, links that break.
// `npm run network -- --liars [--seed 1] [--nodes 20] [--json]`: honest nodes and a liar. Exit code 0: everything held.

import { setPriority } from "node:os";
import { parseArgs } from "node:util";
import { KINDS } from "./faults.ts";
import { type LiarsReport, type Lie, runLiars } from "./liars.ts";
import { MOST_MS, type Report, type Round, runNetwork } from "./run.ts";

const MOST_SHOWN = 12;
const LIED_TO = 4;
/** Others work on the same processors. The nodes have the same: how long this waits is how long they do. */
const NICE = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    nodes: { type: "string" },
    only: { type: "string" },
    liars: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const { liars, json } = values;
const [rounds, seed, nodes] = [values.rounds, values.seed, values.nodes ?? (liars ? "20" : "5")].map(Number) as [
  number,
  number,
  number,
];
if (![rounds, seed, nodes].every((one) => Number.isSafeInteger(one) && one >= 1) || nodes < (liars ? LIED_TO + 1 : 3))
  wrongUsage(`--rounds and --seed are whole numbers from 1 on, and --nodes from ${liars ? LIED_TO + 1 : 3} on`);
const kinds = KINDS.filter((kind) => values.only === undefined || kind === values.only);
if (kinds.length === 0) wrongUsage(`--only is one of: ${KINDS.join("; ")}`);

const say = (text: string): void => void process.stdout.write(`${text}\n`);
setPriority(NICE);
const code = liars ? await tellOfLiars() : await tellOfNetwork();
process.stdout.end(() => process.exit(code));

function wrongUsage(text: string): never {
  process.stderr.write(`network: ${text}\n`);
  process.exit(64); // sysexits.h: wrong usage
}

async function tellOfNetwork(): Promise<number> {
  const onRound = (round: Round): void => say(json ? JSON.stringify(round) : lineOf(round));
  const report = await runNetwork({ rounds, seed, nodes, kinds, onRound });
  const wrong = report.rounds.reduce((sum, round) => sum + round.wrong.length, 0);
  sayAll({ ...summaryOf(report), wrong });
  return wrong === 0 ? 0 : 1;
}

async function tellOfLiars(): Promise<number> {
  const onLie = (lie: Lie): void => say(json ? JSON.stringify(lie) : lineOfLie(lie));
  const report = await runLiars({ nodes, seed, neighbours: LIED_TO, onLie });
  const summary = liarsSummaryOf(report);
  sayAll(summary);
  return summary.wrong === 0 && summary.right === summary.performs ? 0 : 1;
}

function sayAll(summary: object): void {
  if (json) say(JSON.stringify({ summary }));
  else for (const [name, value] of Object.entries(summary)) say(`${name.padEnd(22)} ${shown(value)}`);
}

function lineOfLie({ kind, told, seen, shown, wrong }: Lie): string {
  return `${kind.padEnd(20)} told ${told}, seen by ${seen}: ${shown}${wrong.map((text) => `\n      ${text}`).join("")}`;
}

function liarsSummaryOf({ lies, seconds, ...rest }: LiarsReport) {
  const sum = (of: (lie: Lie) => number): number => lies.reduce((total, lie) => total + of(lie), 0);
  return {
    ...rest,
    lies: lies.length,
    believed: lies.flatMap(({ kind, believed }) => (believed ? [kind] : [])).join(", "),
    told: sum(({ told, believed }) => (believed ? 0 : told)),
    seen: sum(({ seen }) => seen),
    seconds: Math.round(seconds),
    wrong: sum(({ wrong }) => wrong.length),
  };
}

function lineOf({ round, faults, faultMs, mendMs, performs, ambiguous, withdrawals, wrong }: Round): string {
  const figures = `right after ${ms(faultMs)} and ${ms(mendMs)}; ${performs} performs, ${ambiguous} ambiguous, ${withdrawals} withdrawn`;
  const line = `${String(round).padStart(4)}  ${faults.join(" + ").padEnd(44)} ${figures}`;
  const more = wrong.length > MOST_SHOWN ? `\n      … and ${wrong.length - MOST_SHOWN} more` : "";
  return (
    line +
    wrong
      .slice(0, MOST_SHOWN)
      .map((text) => `\n      ${text}`)
      .join("") +
    more
  );
}

function summaryOf({ rounds, sums, costs, unnoticed, withdrawals, seconds }: Report) {
  const slowest = (of: (round: Round) => number): number => Math.round(Math.max(...rounds.map(of)));
  return {
    rounds: rounds.length,
    faults: Object.fromEntries(
      KINDS.map((kind) => [
        kind,
        rounds.filter(({ faults }) => faults.some((text) => text.startsWith(`${kind}:`))).length,
      ]),
    ),
    ...sums,
    slowestAfterFaultMs: slowest(({ faultMs }) => faultMs),
    slowestAfterMendMs: slowest(({ mendMs }) => mendMs),
    allowedMs: MOST_MS,
    mostStarvedMs: slowest(({ starvedMs }) => starvedMs),
    roundsOverAllowed: rounds.filter(({ faultMs, mendMs }) => Math.max(faultMs, mendMs) > MOST_MS).length,
    withdrawals,
    unnoticed,
    costs: Object.fromEntries(
      costs.map(({ node, starts, first, last }) => [
        node,
        `${mebibytes(first.memory)} → ${mebibytes(last.memory)} MiB, ${first.files} → ${last.files} files, ${starts} starts`,
      ]),
    ),
    seconds: Math.round(seconds),
  };
}

function shown(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const entries = Object.entries(value);
  return entries.length === 0 ? "none" : entries.map(([name, one]) => `${name} ${one}`).join("; ");
}

function ms(value: number): string {
  return `${(value / 1000).toFixed(1)} s`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 ** 2);
}
