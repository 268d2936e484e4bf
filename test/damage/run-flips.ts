// `npm run flips -- --flips 10000 [--seed 1] [--entries 300] [--control opening|verification]`
// Exit code 0: no flip that mattered went unseen, and none was served; with a control: that it was caught.

import { parseArgs } from "node:util";
import { type Control, type Flip, runFlips, SHARES, type Target } from "./flips.ts";
import { STOCK } from "./stock-export.ts";

const MOST_SHOWN = 10;
const EACH = 500;

const { values } = parseArgs({
  options: {
    flips: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    entries: { type: "string", default: "300" },
    control: { type: "string" },
  },
});

const startedAt = performance.now();
let done = 0;
let shown = 0;
const flips = await runFlips({
  ...{ flips: whole("flips"), seed: whole("seed"), entries: whole("entries") },
  ...(values.control === undefined ? {} : { control: controlOf(values.control) }),
  onFlip(flip) {
    if (flip.violations.length > 0 && shown++ < MOST_SHOWN) console.log(lineOf(flip));
    if (++done % EACH === 0) console.log(`${done} flips, ${seconds()} s`);
  },
});

const violations = flips.filter((flip) => flip.violations.length > 0).length;
console.log(`\n${flips.length} single-byte flips, seed ${values.seed}; ground truth: ${STOCK}`);
console.log("                 flips   changed the export   found   served whole   read-only   refused");
for (const target of Object.keys(SHARES) as Target[])
  report(
    target,
    flips.filter((flip) => flip.target === target),
  );
report("all", flips);
const missed = flips.filter(({ changed, found }) => changed && !found).length;
const wrong = flips.filter(({ served }) => served.kind !== "refused" && served.wrong.length > 0).length;
console.log(
  `\nchanged and not found  ${missed}\nserved and not true    ${wrong}\nviolations             ${violations}\nseconds                ${seconds()}`,
);
if (values.control === undefined) console.log(violations === 0 ? "everything held" : "VIOLATED");
else console.log(violations > 0 ? "the control was caught" : "the control was NOT caught");
process.exitCode = (violations === 0) === (values.control === undefined) ? 0 : 1;

function report(name: string, of: readonly Flip[]): void {
  const count = (is: (flip: Flip) => boolean): string => String(of.filter(is).length);
  const share = `${Math.round((100 * of.length) / Math.max(flips.length, 1))}%`;
  const columns = [
    `${of.length}`.padStart(6),
    count(({ changed }) => changed).padStart(20),
    count(({ found }) => found).padStart(7),
    ...(["whole", "damaged", "refused"] as const).map((kind, i) =>
      count(({ served }) => served.kind === kind).padStart([14, 11, 9][i] as number),
    ),
  ];
  console.log(`${name.padEnd(11)}${share.padStart(4)} ${columns.join(" ")}`);
}

function lineOf({ target, at, mask, violations }: Flip): string {
  return `VIOLATION ${target} byte ${at} ^ ${mask}: ${violations.join("; ")}`;
}

function controlOf(text: string): Control {
  if (text === "opening" || text === "verification") return text;
  throw new Error(`--control ${text}: it is opening or verification`);
}

function whole(name: "flips" | "seed" | "entries"): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} ${values[name]}: a whole number from 1 on`);
  return value;
}

function seconds(): number {
  return Math.round((performance.now() - startedAt) / 1000);
}
