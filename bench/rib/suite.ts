// `npm run bench -- rib`.

import type { Suite } from "../suite.ts";
import { type Figure, figureNames, measure } from "./figures.ts";

const COLUMNS = [22, 16, 16, 8, 10, 12] as const;

export const rib: Suite = {
  figures: figureNames,
  rounds: 5,
  head: row(["figure", "ours", "GoBGP 3.10", "ratio", "goal", "cpu µs"], "rounds"),
  async *lines(only, rounds, json) {
    for (const figure of measure(only, rounds)) yield json ? jsonLine(figure) : tableRow(figure);
  },
};

/** One line: `{name, ours, anchor, ratio, rounds, cpu}`, and what is needed to judge them. */
function jsonLine({
  name,
  what,
  unit,
  goal,
  ours,
  anchor,
  ratio,
  rounds,
  rejected,
  disturbed,
  cpu,
  detail,
}: Figure): string {
  return JSON.stringify({
    name,
    ours: rounded(ours),
    ...(anchor === undefined ? {} : { anchor: { ...anchor, of: "GoBGP 3.10, measured elsewhere" } }),
    ...(ratio === undefined ? {} : { ratio: rounded(ratio) }),
    rounds,
    ...(cpu === undefined ? {} : { cpu: rounded(cpu) }),
    ...Object.fromEntries(Object.entries(detail).map(([word, value]) => [word, rounded(value)])),
    ...{ unit, goal, rejected, disturbed, what },
  });
}

function tableRow({ name, unit, goal, ours, anchor, ratio, rounds, rejected, disturbed, cpu, detail }: Figure): string {
  const value = (number: number): string => {
    if (unit === "ms") return `${number.toFixed(1)} ms`;
    return unit === "bytes" ? `${Math.round(number)} B` : `${Math.round(number)}/s`;
  };
  const range = ({ low, high }: { low: number; high: number }) => (low === high ? value(low) : `${low}–${value(high)}`);
  const notes = [
    ...Object.entries(detail).map(([word, number]) => `${word} ${value(number)}`),
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ...(disturbed > 0 ? [`${disturbed} disturbed`] : []),
  ];
  return row(
    [name, value(ours), anchor ? range(anchor) : "", ratio?.toFixed(2) ?? "", goal ?? "", cpu?.toFixed(1) ?? ""],
    `${rounds}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`,
  );
}

function row(cells: readonly string[], last: string): string {
  return `${cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i] as number) : cell.padStart(COLUMNS[i] as number))).join("")}  ${last}`;
}

/** Four digits say all that a measurement on a shared machine knows. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
