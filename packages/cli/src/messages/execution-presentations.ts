// Executions: a line each, with the entries that tell of them; what is tried again is waited for like the first time.

import { perform } from "../commands/perform.ts";
import { columns, instant } from "../output/columns.ts";
import { jsonText, shown } from "../output/shown.ts";
import type { Presentation } from "./presentation.ts";

interface Row {
  readonly id: string;
  readonly action: string;
  readonly state: string;
  readonly principal: string;
  readonly at: number;
  readonly entries: readonly number[];
}

interface Shown extends Row {
  readonly message?: string;
  readonly attempt?: number;
  readonly output?: unknown;
  readonly error?: { readonly code?: string; readonly message?: string };
  readonly untold?: readonly string[];
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
  "execution.show": { text: (answer) => shownText(answer as Shown) },
  // Waited for as long as the first time.
  "execution.retry": { run: (cli, { name, data, options }) => perform(cli, name, data, options) },
  "execution.abandon": { text: (answer) => `abandoned ${shown((answer as { execution: string }).execution)}\n` },
  "execution.cancel": { text: (answer) => `cancelled ${shown((answer as { execution: string }).execution)}\n` },
};

function shownText(shown: Shown): string {
  const { id, action, state, principal, at, message, entries = [], attempt, output, error, untold = [] } = shown;
  return columns([
    ["execution", `${id}  ${action}  ${state}${attempt === undefined ? "" : `, attempt ${attempt}`}`],
    ["by", `${principal}, ${instant(at)}${message === undefined ? "" : `   ${message}`}`],
    [entries.length === 1 ? "entry" : "entries", entries.join("–")],
    ...(output === undefined ? [] : [["output", jsonText(output)]]),
    ...(error === undefined ? [] : [["error", `${error.code}  ${error.message}`]]),
    ...(untold.length === 0 ? [] : [["to tell", `${untold.join(", ")}: when there is a session again`]]),
  ]);
}
