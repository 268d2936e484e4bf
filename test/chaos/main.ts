// `npm run chaos -- --cycles 100 [--seed 1] [--clients 64] [--acknowledged 500] [--json] [--control | --control-twice]`
// Exit code 0: everything held; with a control: it was caught, within 20 cycles unless --cycles says otherwise.

import { parseArgs } from "node:util";
import { type Control, type Cycle, catches, runChaos } from "./chaos.ts";
import { KILL_POINTS, phaseOf } from "./kill-point.ts";

const CYCLES = 20;
const MOST_SHOWN = 5;

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: String(CYCLES) },
    seed: { type: "string", default: "1" },
    clients: { type: "string", default: "64" },
    acknowledged: { type: "string", default: "500" },
    json: { type: "boolean", default: false },
    /** A build that replies before its commit. */
    control: { type: "boolean", default: false },
    /** A build that runs again by itself what must not run twice. */
    "control-twice": { type: "boolean", default: false },
  },
});

const control: Control | undefined = values.control ? "early" : values["control-twice"] ? "twice" : undefined;
const startedAt = performance.now();
const cycles = await runChaos({
  cycles: whole("cycles"),
  seed: whole("seed"),
  clients: whole("clients"),
  acknowledged: whole("acknowledged"),
  ...(control === undefined ? {} : { control }),
  onCycle: (cycle) => console.log(values.json ? JSON.stringify(cycle) : lineOf(cycle)),
});

const caught = cycles.find((cycle) =>
  control === undefined ? cycle.violations.length > 0 : catches(cycle, control),
)?.cycle;
const summary = {
  cycles: cycles.length,
  acknowledged: sum(({ acknowledged }) => acknowledged),
  fewestAcknowledged: Math.min(...cycles.map(({ acknowledged }) => acknowledged)),
  askedAgain: sum(({ askedAgain }) => askedAgain),
  joined: sum(({ joined }) => joined),
  ambiguous: cycles.at(-1)?.ambiguous ?? 0,
  entries: cycles.at(-1)?.entries ?? 0,
  slowestReadyMs: Math.round(Math.max(...cycles.map(({ readyMs }) => readyMs))),
  violations: sum(({ violations }) => violations.length),
  kills: Object.fromEntries(
    Object.entries(KILL_POINTS).map(([phase, points]) => [
      phase,
      {
        all: cycles.filter(({ point }) => phaseOf(point) === phase).length,
        ...(points.length > 1 &&
          Object.fromEntries(points.map((one) => [one, cycles.filter(({ point }) => point === one).length]))),
      },
    ]),
  ),
  seconds: Math.round((performance.now() - startedAt) / 1000),
  ...(control === undefined ? {} : { control, caughtAtCycle: caught ?? null }),
};
if (values.json) console.log(JSON.stringify({ summary }));
else printSummary();
process.exitCode = (caught === undefined) === (control === undefined) ? 0 : 1;

function printSummary(): void {
  const { kills, ...figures } = summary;
  console.log("");
  for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(20)} ${value}`);
  for (const [phase, counts] of Object.entries(kills)) {
    const { all, ...points } = counts as { all: number };
    const each = Object.entries(points).map(([point, count]) => `${point} ${count}`);
    console.log(`${`kills in ${phase}`.padEnd(20)} ${all}${each.length > 0 ? `  (${each.join(", ")})` : ""}`);
  }
  if (control === undefined)
    console.log(caught === undefined ? "everything held" : `first violation in cycle ${caught}`);
  else console.log(caught === undefined ? "the control was NOT caught" : `the control was caught at cycle ${caught}`);
}

function lineOf({
  cycle,
  point,
  acknowledged,
  askedAgain,
  joined,
  ambiguous,
  entries,
  readyMs,
  violations,
}: Cycle): string {
  const figures = `${acknowledged} acknowledged, ${askedAgain} asked again (${joined} joined), ${ambiguous} ambiguous, ${entries} entries`;
  const line = `${String(cycle).padStart(4)}  ${point.padEnd(18)} ${figures}, ready in ${Math.round(readyMs)} ms`;
  const shown = violations.slice(0, MOST_SHOWN).map((text) => `\n      VIOLATION ${text}`);
  const more = violations.length > MOST_SHOWN ? `\n      … and ${violations.length - MOST_SHOWN} more` : "";
  return line + shown.join("") + more;
}

function sum(of: (cycle: Cycle) => number): number {
  return cycles.reduce((total, cycle) => total + of(cycle), 0);
}

function whole(name: "cycles" | "seed" | "clients" | "acknowledged"): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} ${values[name]}: must be a whole number from 1 on`);
  return value;
}
