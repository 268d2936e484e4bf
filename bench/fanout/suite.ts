// `npm run bench -- fanout`.

import type { Suite } from "../suite.ts";
import { type Figure, figureNames, measure, type Side } from "./figures.ts";

const COLUMNS = [12, 16, 10, 10, 12, 18] as const;

export const fanout: Suite = {
  figures: figureNames,
  rounds: 5,
  head: row(
    ["figure", "deliveries/s", "p50 ms", "p99 ms", "memory MiB", "cpu µs"],
    "1,000 subscribers; rate as fast as it goes, p50 and p99 paced",
  ),
  async *lines(only, rounds, json) {
    const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);
    for await (const figure of measure(only, rounds, say)) yield json ? jsonLine(figure) : tableRows(figure);
  },
};

function jsonLine({ name, rounds, ours, anchor, ratio }: Figure): string {
  const rounded = ({ rate, p50, p99, memory, cpu }: Side) => ({
    rate: Math.round(rate),
    p50: Number(p50.toPrecision(4)),
    p99: Number(p99.toPrecision(4)),
    cpu: { server: cpu.server && Number(cpu.server.toPrecision(4)), client: Number(cpu.client.toPrecision(4)) },
    memory,
  });
  return JSON.stringify({
    ...{ name: `fanout/${name}`, unit: "deliveries/s", rounds, ours: rounded(ours) },
    ...(anchor === undefined ? {} : { anchor: rounded(anchor), ratio: Number((ratio as number).toPrecision(4)) }),
  });
}

function tableRows({ name, rounds, ours, anchor, ratio }: Figure): string {
  const cells = (who: string, { rate, p50, p99, memory, cpu }: Side): string[] => [
    who,
    String(Math.round(rate)),
    p50.toFixed(2),
    p99.toFixed(2),
    String(Math.round(memory / 1024 / 1024)),
    `${cpu.server?.toFixed(2) ?? "?"} + ${cpu.client.toFixed(2)}`,
  ];
  const lines = [row(cells(name, ours), `${rounds} rounds`)];
  if (anchor !== undefined) lines.push(row(cells("  NATS", anchor), `ratio ${(ratio as number).toFixed(2)}`));
  return lines.join("\n");
}

function row(cells: readonly string[], last: string): string {
  return `${cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i] as number) : cell.padStart(COLUMNS[i] as number))).join("")}  ${last}`;
}
