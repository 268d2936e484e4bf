// `npm run bench -- hops`.

import type { Suite } from "../suite.ts";
import { type Cpu, type Figure, figureNames, measure } from "./figures.ts";

const COLUMNS = [24, 11, 11, 7, 12, 14, 24, 24] as const;

export const hops: Suite = {
  figures: figureNames,
  rounds: 7,
  head: row(
    ["figure", "ours", "anchor", "ratio", "range", "goal", "cpu ours µs", "cpu anchor µs"],
    "rounds; cpu: client + asked + performs",
  ),
  async *lines(only, rounds, json) {
    for await (const figure of measure(only, rounds)) yield json ? jsonLine(figure) : tableRow(figure);
  },
};

/** One line: `{name, ours, anchor, ratio, rounds, cpu}`, and what is needed to judge them. */
function jsonLine({ ours, anchor, ratio, spread, plain, cpu, bound, name, rounds, ...rest }: Figure): string {
  return JSON.stringify({
    ...{ name, ours: rounded(ours), anchor: rounded(anchor), ratio: rounded(ratio) },
    spread: spread.map(rounded),
    ...(plain === undefined ? {} : { plain: rounded(plain) }),
    rounds,
    ...(cpu === undefined ? {} : { cpu: { ours: allRounded(cpu.ours), anchor: allRounded(cpu.anchor) } }),
    ...(bound === undefined ? {} : { bound: allRounded(bound) }),
    ...rest,
  });
}

function tableRow(figure: Figure): string {
  const { name, unit, goal = "", ours, anchor, ratio, spread, plain, cpu, bound, rounds, rejected, disturbed } = figure;
  const value = (number: number): string => (unit === "ms" ? `${number.toFixed(3)} ms` : `${Math.round(number)}/s`);
  const notes = [
    ...(plain === undefined ? [] : [`${plain.toFixed(2)} of the plain sum`]),
    ...(bound === undefined
      ? []
      : [`at most ${bound.shared.toFixed(2)} on two cores, ${bound.apart.toFixed(2)} with one each`]),
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ...(disturbed > 0 ? [`${disturbed} disturbed`] : []),
  ];
  const range = `${spread[0].toFixed(2)}–${spread[1].toFixed(2)}`;
  const cells = [
    name,
    value(ours),
    value(anchor),
    ratio.toFixed(2),
    range,
    goal,
    cpuText(cpu?.ours),
    cpuText(cpu?.anchor),
  ];
  return row(cells, `${rounds}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`);
}

function cpuText(cpu: Cpu | undefined): string {
  if (cpu === undefined) return "";
  return [cpu.client, cpu.asked, cpu.performs].map((one) => one.toFixed(1)).join(" + ");
}

function row(cells: readonly string[], last: string): string {
  return `${cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i] as number) : cell.padStart(COLUMNS[i] as number))).join("")}  ${last}`;
}

function allRounded<T extends Cpu | { readonly shared: number; readonly apart: number }>(of: T): T {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, rounded(value as number)])) as T;
}

/** Four digits say all that a measurement on a shared machine knows. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
