// `npm run bench -- kernel`.

import type { Suite } from "../suite.ts";
import { figureNames, measure } from "./figures.ts";
import { jsonLine, tableHead, tableRow } from "./report.ts";

export const kernel: Suite = {
  figures: figureNames,
  head: tableHead(),
  async *lines(only, rounds, json) {
    for await (const figure of measure(only, rounds)) yield json ? jsonLine(figure) : tableRow(figure);
  },
};
