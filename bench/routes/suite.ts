// `npm run bench -- routes`.

import type { Suite } from "../suite.ts";
import { type Figure, figureNames, measure } from "./figures.ts";

const COLUMNS = [18, 14, 16, 8, 8, 18] as const;

export const routes: Suite = {
  figures: figureNames,
  rounds: 5,
  head: row(["figure", "ours", "GoBGP", "ratio", "goal", "cold (ratio)"], "rounds"),
  async *lines(only, rounds, json) {
    const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);
    for await (const figure of measure(only, rounds, say)) yield json ? jsonLine(figure) : tableRow(figure);
  },
};

/** One line: `{name, ours, anchor, ratio, rounds}`, and what is needed to judge them. */
function jsonLine({ name, what, unit, goal, ours, cold, coldRatio, anchor, kept, ratio, rounds }: Figure): string {
  return JSON.stringify({
    ...{ name, ours: rounded(ours) },
    anchor: anchor === undefined ? { ...kept, of: "GoBGP 3.10, measured elsewhere" } : rounded(anchor),
    ...{ ratio: rounded(ratio), rounds, unit, goal: `≥ ${goal}`, what },
    ...(cold === undefined || coldRatio === undefined ? {} : { cold: rounded(cold), coldRatio: rounded(coldRatio) }),
  });
}

function tableRow({ name, unit, goal, ours, cold, coldRatio, anchor, kept, ratio, rounds }: Figure): string {
  const value = (number: number): string => {
    if (unit === "ms") return `${number.toFixed(0)} ms`;
    return unit === "bytes" ? `${Math.round(number)} B` : `${Math.round(number)}/s`;
  };
  const beside = anchor === undefined ? `${kept.low}–${value(kept.high)} (kept)` : value(anchor);
  const cells = [
    name,
    value(ours),
    beside,
    ratio.toFixed(2),
    `≥ ${goal}`,
    cold === undefined ? "" : `${value(cold)} (${coldRatio?.toFixed(2)})`,
  ];
  return row(cells, String(rounds));
}

function row(cells: readonly string[], last: string): string {
  return `${cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i] as number) : cell.padStart(COLUMNS[i] as number))).join("")}  ${last}`;
}

/** Four digits say all that a measurement on a shared machine knows. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
