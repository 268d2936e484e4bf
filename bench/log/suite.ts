// `npm run bench -- log`.

import { jsonLine, tableHead, tableRow } from "../kernel/report.ts";
import type { Suite } from "../suite.ts";
import { appendNames, measureAppends } from "./figures.ts";
import { measureOpening, OPEN, type Opening } from "./open.ts";

export const log: Suite = {
  figures: [...appendNames, OPEN],
  head: tableHead(),
  async *lines(only, rounds, json) {
    for await (const figure of measureAppends(only, rounds)) yield json ? jsonLine(figure) : tableRow(figure);
    if (!only.includes(OPEN)) return;
    const opening = await measureOpening(rounds);
    yield json ? JSON.stringify(opening) : openingRow(opening);
  },
};

function openingRow({ name, ms, bytes, fileBytes, rounds }: Opening): string {
  const size = (of: number) => `${(of / 2 ** 20).toFixed(0)} MiB`;
  return `${name.padEnd(16)}${ms.toFixed(1)} ms, ${size(bytes)} of memory, for a file of ${size(fileBytes)}  ${rounds}`;
}
