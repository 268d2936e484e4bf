// `npm run tampers -- --tampers 10000 [--seed 1] [--entries 320] [--control]`
// Exit code 0: all that the last checkpoint covers was found; with --control, where the auditor kept nothing: that it was not.

import { parseArgs } from "node:util";
import { runTampers, type Tampered } from "./tampers.ts";
import { measureWindow } from "./window.ts";

const MOST_SHOWN = 10;
const EACH = 500;
const WINDOW_MS = 5000;

const { values } = parseArgs({
  options: {
    tampers: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    entries: { type: "string", default: "320" },
    control: { type: "boolean", default: false },
  },
});

const startedAt = performance.now();
let done = 0;
let shown = 0;
const { tampered, covered, head } = await runTampers({
  ...{ tampers: whole("tampers"), seed: whole("seed"), entries: whole("entries"), control: values.control },
  onTamper(one) {
    if (!one.window && !one.found && shown++ < MOST_SHOWN) console.log(`NOT FOUND ${one.kind}: ${one.what}`);
    if (++done % EACH === 0) console.log(`${done} tampers, ${seconds()} s`);
  },
});

const inside = tampered.filter(({ window }) => !window);
const window = tampered.filter((one) => one.window);
console.log(
  `\n${tampered.length} tampers, seed ${values.seed}; a log of ${head} entries, the auditor's checkpoint of ${covered}`,
);
for (const kind of [...new Set(inside.map((one) => one.kind))].sort())
  report(
    inside.filter((one) => one.kind === kind),
    kind,
  );
report(inside, "all that the checkpoint covers");
report(window, "in the window after it");
const missed = inside.filter(({ found }) => !found).length;
const { longest, median, entries, checkpoints, mostEntries } = await measureWindow(WINDOW_MS);
console.log(`\nthe window, measured over ${entries} entries and ${checkpoints} checkpoints under load:`);
console.log(
  `  an entry is in no checkpoint for ${median} ms (median), ${longest} ms at most; ${mostEntries} entries at most`,
);
console.log(`not found  ${missed}\nseconds    ${seconds()}`);
if (values.control) console.log(missed > 0 ? "the control was caught" : "the control was NOT caught");
else console.log(missed === 0 ? "everything held" : "VIOLATED");
process.exitCode = (missed === 0) === values.control ? 1 : 0;

function report(of: readonly Tampered[], name: string): void {
  const found = of.filter((one) => one.found).length;
  console.log(`  ${name.padEnd(56)} ${String(found).padStart(6)} of ${String(of.length).padStart(6)} found`);
}

function whole(name: "tampers" | "seed" | "entries"): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} ${values[name]}: a whole number from 1 on`);
  return value;
}

function seconds(): number {
  return Math.round((performance.now() - startedAt) / 1000);
}
