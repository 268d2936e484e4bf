// Executions: a line each, with the entries that tell of them; what is tried again is waited for like the first time.

import { perform } from "../commands/perform.ts";
import { columns, instant } from "../output/columns.ts";
import { shown } from "../output/shown.ts";
import type { Presentation } from "./presentation.ts";

interface Row {
  readonly id: string;
  readonly action: string;
  readonly state: string;
  readonly principal: string;
  readonly at: number;
  readonly entries: readonly number[];
}

export const executionPresentations: Readonly<Record<string, Presentation>> = {
  "execution.list": {
    text: (answer) =>
      columns(
        (answer as { items: readonly Row[] }).items.map(({ id, action, state, principal, at, entries }) => [
          ...[id, action, state, principal, instant(at)],
          `${entries.length === 1 ? "entry" : "entries"} ${entries.join("–")}`,
        ]),
      ),
  },
  // Waited for as long as the first time.
  "execution.retry": { run: (cli, { name, data, options }) => perform(cli, name, data, options) },
  "execution.abandon": { text: (answer) => `abandoned ${shown((answer as { execution: string }).execution)}\n` },
  "execution.cancel": { text: (answer) => `cancelled ${shown((answer as { execution: string }).execution)}\n` },
};
