// Why something was decided, for people: the message, what each plugin said, what came of it, what led to it.

import { brief } from "./brief.ts";
import { shown } from "./shown.ts";

/** What `log.explain` answers. */
export interface Explained {
  readonly id: string;
  readonly entry: number;
  readonly message: string;
  readonly data?: unknown;
  readonly principal: string;
  readonly grant: string;
  readonly verdict: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly plugins: readonly {
    readonly plugin: string;
    readonly verdict: string;
    readonly clause?: string;
    readonly wrote?: number;
  }[];
  readonly because: readonly { readonly id: string; readonly message: string; readonly principal: string }[];
  readonly outcome?: {
    readonly state: string;
    readonly entry?: number;
    readonly error?: { readonly code: string; readonly message: string };
  };
  readonly rows: readonly unknown[];
}

export function explanation(explained: Explained): string {
  const { id, message, data, principal, grant, verdict, error, outcome, because } = explained;
  // What is owed an outcome was only accepted by this entry.
  const decided = outcome === undefined ? verdict : "accepted";
  const end = error === undefined ? `${decided}, entry ${explained.entry}` : `${error.code}, nothing changed`;
  const head = `${shown(id)}  ${shown(message)} ${brief(data ?? {})}  by ${shown(principal)} under ${shown(grant)}   ${shown(end)}\n`;
  const rows = [...pluginRows(explained.plugins)];
  if (outcome !== undefined) rows.push(["outcome", outcome.state, outcomeText(outcome)]);
  because.forEach((cause, at) => {
    rows.push([at === 0 ? "because" : "", cause.id, `${cause.message}  by ${cause.principal}`]);
  });
  return head + rows.map((row) => `  ${line(row, rows)}\n`).join("");
}

/** In columns at least as wide as the banner's; what has nothing behind it widens none. */
function line([name = "", said = "", why = ""]: readonly string[], rows: readonly (readonly string[])[]): string {
  const names = Math.max(9, ...rows.map(([one = ""]) => one.length));
  const saids = Math.max(8, ...rows.map(([, one = "", behind = ""]) => (behind === "" ? 0 : one.length)));
  return shown(`${name.padEnd(names)}  ${why === "" ? said : `${said.padEnd(saids)}  ${why}`}`);
}

function pluginRows(plugins: Explained["plugins"]): string[][] {
  const rows: string[][] = [];
  const last = plugins.findLastIndex(({ verdict }) => verdict !== "not reached");
  plugins.forEach(({ plugin, verdict, clause, wrote }, at) => {
    if (at > last + 1) return;
    const more = at > last && at < plugins.length - 1 ? "…" : "";
    const rowsWritten = wrote ? `wrote ${wrote} ${wrote === 1 ? "row" : "rows"}` : "";
    rows.push([`${plugin}${more}`, verdict, [clause, rowsWritten].filter(Boolean).join(", ")]);
  });
  return rows;
}

function outcomeText({ entry, error }: NonNullable<Explained["outcome"]>): string {
  return [entry === undefined ? "" : `entry ${entry}`, error === undefined ? "" : `${error.code}: ${error.message}`]
    .filter(Boolean)
    .join("   ");
}
