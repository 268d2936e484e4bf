// A plugin for tests: cells that are set, set again and cleared. It can need old entries.

import type { AnyPlugin } from "../plugin/plugin.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { plugin, takes } from "./start.fixture.ts";

export const cellTable = table<{ readonly text: string }>("cell");

/** `cell.set { name, text }`, `cell.clear { name }`. `retains` as a plugin has it. */
export function cells(retains?: NonNullable<AnyPlugin["retains"]>): AnyPlugin {
  return plugin("cells", {
    needs: [authority],
    tables: [cellTable],
    messages: { cell: { set: takes("name", "text"), clear: takes("name") } },
    decide({ message, state }) {
      if (message.resource !== "cell") return next();
      const { name, text } = message.data as { name: string; text: string };
      if (message.action === "clear") return next({ state: state.remove(cellTable, name), data: { name } });
      return next({ state: state.put(cellTable, name, { text }), data: { name, text } });
    },
    ...(retains === undefined ? {} : { retains }),
  });
}
