// Figures as they are printed: a line of JSON each, or a table. Data goes to standard output, the rest to standard error.

import type { Cpu, Figure } from "./figures.ts";

/** One line: `{name, ours, anchor, ratio, rounds, cpu}`, and what is needed to judge them. */
export function jsonLine(figure: Figure): string {
  const { name, unit, goal, rounds, rejected, disturbed } = figure;
  const cpu = ({ server, client }: Cpu) => ({ server: rounded(server), client: rounded(client) });
  return JSON.stringify({
    name,
    ours: rounded(figure.ours),
    anchor: rounded(figure.anchor),
    ratio: rounded(figure.ratio),
    rounds,
    cpu: { ours: cpu(figure.cpu.ours), anchor: cpu(figure.cpu.anchor) },
    ...{ unit, goal, rejected, disturbed },
  });
}

const COLUMNS = [16, 11, 11, 7, 28, 16, 16] as const;

export function tableHead(): string {
  return row(["figure", "ours", "anchor", "ratio", "goal", "cpu ours µs", "cpu anchor µs"], "rounds");
}

export function tableRow(figure: Figure): string {
  const { name, unit, goal, rounds, rejected, disturbed } = figure;
  const value = (number: number): string => (unit === "ms" ? `${number.toFixed(3)} ms` : `${Math.round(number)}/s`);
  const cpu = ({ server, client }: Cpu): string => `${server.toFixed(1)} + ${client.toFixed(1)}`;
  const notes = [rejected > 0 ? `${rejected} rejected` : "", disturbed > 0 ? `${disturbed} disturbed` : ""].filter(
    Boolean,
  );
  return row(
    [
      name,
      value(figure.ours),
      value(figure.anchor),
      figure.ratio.toFixed(2),
      goal,
      cpu(figure.cpu.ours),
      cpu(figure.cpu.anchor),
    ],
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
