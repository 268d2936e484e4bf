// `npm run bench -- kernel [--json] [--rounds N] [--only NAME]`. Figures are compared, never asserted: what a machine is worth
// is no test's business.

import { parseArgs } from "node:util";
import { figureNames, measure } from "./kernel/figures.ts";
import { pinned } from "./kernel/machine.ts";
import { jsonLine, tableHead, tableRow } from "./kernel/report.ts";

const USAGE = `usage: npm run bench -- kernel [--json] [--rounds N] [--only NAME]…
  --json      one line of JSON a figure: {name, ours, anchor, ratio, rounds, cpu}
  --rounds N  rounds a figure, 9 by default
  --only NAME ${figureNames.join(", ")}; may be given more than once`;
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
        rounds: { type: "string", default: "9" },
        only: { type: "string", multiple: true, default: [...figureNames] },
      },
    });
    return { ...values, rounds: Number(values.rounds), suites: positionals };
  } catch (thrown) {
    return usage((thrown as Error).message);
  }
}

const { json, rounds, only, suites } = options();
if (suites.length !== 1 || suites[0] !== "kernel") usage(`there is one suite, "kernel"`);
if (!Number.isInteger(rounds) || rounds < 1) usage("--rounds is a whole number, 1 at least");
const unknown = only.find((name) => !figureNames.includes(name));
if (unknown !== undefined) usage(`there is no figure "${unknown}"`);

if (!pinned)
  process.stderr.write("bench: taskset or a second core is missing: nothing is pinned, and figures vary more\n");
if (!json) process.stdout.write(`${tableHead()}\n`);
for await (const figure of measure(only, rounds))
  process.stdout.write(`${json ? jsonLine(figure) : tableRow(figure)}\n`);
