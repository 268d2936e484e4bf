// `npm run bench -- SUITE [--json] [--rounds N] [--only NAME]`. Figures are compared, never asserted: what a machine is worth
// is no test's business.

import { parseArgs } from "node:util";
import { fanout } from "./fanout/suite.ts";
import { hops } from "./hops/suite.ts";
import { pinned } from "./kernel/machine.ts";
import { kernel } from "./kernel/suite.ts";
import { log } from "./log/suite.ts";
import { rib } from "./rib/suite.ts";
import { routes } from "./routes/suite.ts";
import type { Suite } from "./suite.ts";

const suites: Readonly<Record<string, Suite>> = { kernel, log, fanout, rib, hops, routes };

const USAGE = `usage: npm run bench -- ${Object.keys(suites).join("|")} [--json] [--rounds N] [--only NAME]…
  --json      one line of JSON a figure: {name, ours, anchor, ratio, rounds, cpu}
  --rounds N  rounds a figure, 9 by default (fanout, rib, routes: 5)
  --only NAME may be given more than once
${Object.entries(suites)
  .map(([name, { figures }]) => `              ${name}: ${figures.join(", ")}`)
  .join("\n")}`;
/** sysexits.h: wrong usage. */
const EX_USAGE = 64;

function usage(problem: string): never {
  process.stderr.write(`bench: ${problem}\n${USAGE}\n`);
  process.exit(EX_USAGE);
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        rounds: { type: "string" },
        only: { type: "string", multiple: true },
      },
    });
    return { ...values, names: positionals };
  } catch (thrown) {
    return usage((thrown as Error).message);
  }
}

const { json, names, ...asked } = options();
const suite = names.length === 1 ? suites[names[0] as string] : undefined;
if (suite === undefined) usage(`name one suite: ${Object.keys(suites).join(" or ")}`);
const only = asked.only ?? suite.figures;
const rounds = Number(asked.rounds ?? suite.rounds ?? 9);
if (!Number.isInteger(rounds) || rounds < 1) usage("--rounds is a whole number, 1 at least");
const unknown = only.find((name) => !suite.figures.includes(name));
if (unknown !== undefined) usage(`there is no figure "${unknown}"`);

if (!pinned)
  process.stderr.write("bench: taskset or a second core is missing: nothing is pinned, and figures vary more\n");
if (!json) process.stdout.write(`${suite.head}\n`);
for await (const line of suite.lines(only, rounds, json)) process.stdout.write(`${line}\n`);
