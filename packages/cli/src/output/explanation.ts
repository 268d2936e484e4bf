// Why something was decided, for people: the message, what each plugin said, what it was held for, how it was tried, what came
// of it, what led to it.

import { brief } from "./brief.ts";
import { instant } from "./columns.ts";
import { shown } from "./shown.ts";

interface Fault {
  readonly code: string;
  readonly message: string;
}

interface Named {
  readonly id: string;
  readonly message: string;
  readonly principal: string;
}

interface Followed extends Named {
  readonly entry: number;
  readonly verdict: string;
  readonly error?: Fault;
  readonly answer?: unknown;
  readonly outcome?: { readonly state: string; readonly entry?: number; readonly data?: unknown };
}

interface Attempt {
  readonly entry: number;
  readonly error?: Fault;
  readonly clause?: string;
  readonly next?: { readonly notBefore: number };
  readonly followed?: readonly Followed[];
  readonly erased?: readonly string[];
}

interface Hold {
  readonly plugin?: string;
  readonly name?: string;
  readonly details?: unknown;
  readonly since: number;
  readonly settled?: {
    readonly entry: number;
    readonly principal: string;
    readonly at: number;
    readonly outcome?: unknown;
  };
  readonly decided?: { readonly entry: number; readonly id: string; readonly verdict: string; readonly error?: Fault };
  readonly ended?: {
    readonly entry: number;
    readonly id: string;
    readonly message: string;
    readonly principal: string;
    readonly at: number;
  };
}

/** What `log.explain` answers. */
export interface Explained {
  readonly id: string;
  readonly entry: number;
  readonly message: string;
  readonly data?: unknown;
  readonly principal: string;
  readonly grant: string;
  readonly verdict: string;
  readonly error?: Fault;
  readonly plugins: readonly {
    readonly plugin: string;
    readonly verdict: string;
    readonly clause?: string;
    readonly wrote?: number;
  }[];
  readonly because: readonly Named[];
  readonly hold?: Hold;
  readonly followed?: readonly Followed[];
  readonly attempts?: readonly Attempt[];
  readonly retries?: readonly (Named & { readonly entry: number; readonly because?: Named })[];
  readonly running?: { readonly of: string; readonly attempt: number; readonly notBefore?: number };
  readonly outcome?: { readonly state: string; readonly entry?: number; readonly error?: Fault };
  readonly rows: readonly unknown[];
  readonly erased?: readonly string[];
  /** Which entry erased each part. */
  readonly erasedBy?: Readonly<Record<string, number>>;
  readonly gone?: boolean;
}

/** What stands first, what is said of it, and more. */
export type Row = readonly [name: string, said: string, ...why: (string | undefined)[]];

export function explanation(explained: Explained): string {
  const {
    id,
    message,
    data,
    principal,
    grant,
    verdict,
    error,
    outcome,
    because,
    erased,
    erasedBy = {},
    gone,
  } = explained;
  // What is owed an outcome was only accepted by this entry.
  const decided = outcome === undefined || verdict === "held" ? verdict : "accepted";
  const end = error === undefined ? `${decided}, entry ${explained.entry}` : `${error.code}, nothing changed`;
  const asked = data === undefined && erased?.includes("body") ? "(erased)" : brief(data ?? {});
  const head = `${shown(id)}  ${shown(message)} ${asked}  by ${shown(principal)} under ${shown(grant)}   ${shown(end)}\n`;
  const rows: Row[] = [
    ...pluginRows(explained.plugins),
    ...holdRows(explained.hold),
    ...followedRows(explained.followed ?? []),
    ...attemptRows(explained),
  ];
  if (outcome !== undefined) rows.push(["outcome", outcome.state, entryText(outcome.entry), faultOf(outcome.error)]);
  because.forEach((cause, at) => {
    rows.push([at === 0 ? "because" : "", cause.id, `${cause.message}  by ${cause.principal}`]);
  });
  if (erased !== undefined) {
    const by = [...new Set(Object.values(erasedBy))].sort((a, b) => a - b);
    const who = by.length === 0 ? "a redaction" : by.map((entry) => `entry ${entry}`).join(" and ");
    rows.push(["erased", erased.join(", "), `by ${who}; the entry's proofs still hold`]);
  }
  if (gone) rows.push(["older", "gone", "the log was compacted"]);
  return head + rows.map((row) => `  ${line(row, rows)}\n`).join("");
}

/** In columns at least as wide as the banner's; what has nothing behind it widens none. */
export function line([name, said, ...why]: Row, rows: readonly Row[]): string {
  const names = Math.max(9, ...rows.map(([one]) => one.length));
  const saids = Math.max(8, ...rows.map(([, one, ...more]) => (joined(more) === "" ? 0 : one.length)));
  const behind = joined(why);
  return shown(`${name.padEnd(names)}  ${behind === "" ? said : `${said.padEnd(saids)}  ${behind}`}`);
}

function joined(why: readonly (string | undefined)[]): string {
  return why.filter(Boolean).join("   ");
}

export function pluginRows(plugins: Explained["plugins"]): Row[] {
  const rows: Row[] = [];
  const last = plugins.findLastIndex(({ verdict }) => verdict !== "not reached");
  plugins.forEach(({ plugin, verdict, clause, wrote }, at) => {
    if (at > last + 1) return;
    const more = at > last && at < plugins.length - 1 ? "…" : "";
    const rowsWritten = wrote ? `wrote ${wrote} ${wrote === 1 ? "row" : "rows"}` : "";
    rows.push([`${plugin}${more}`, verdict, [clause, rowsWritten].filter(Boolean).join(", ")]);
  });
  return rows;
}

function holdRows(hold: Hold | undefined): Row[] {
  if (hold === undefined) return [];
  const { plugin, name = "(erased)", details, since, settled, decided, ended } = hold;
  const by = plugin === undefined ? undefined : `by ${plugin}`;
  const rows: Row[] = [
    ["held for", name, by, `since ${instant(since)}`, details === undefined ? undefined : brief(details)],
  ];
  if (settled !== undefined) {
    const { entry, principal, at, outcome } = settled;
    rows.push(["settled", principal, entryText(entry), instant(at), brief(outcome ?? null)]);
  }
  if (decided !== undefined)
    rows.push(["decided", decided.verdict, entryText(decided.entry), decided.id, faultOf(decided.error)]);
  if (ended !== undefined) {
    const { principal, entry, at, message, id } = ended;
    rows.push(["ended", principal, entryText(entry), instant(at), `${message} ${id}`]);
  }
  return rows;
}

const MOST_FOLLOWED = 8;

function followedRows(followed: readonly Followed[]): Row[] {
  const rows = followed.slice(0, MOST_FOLLOWED).map(followedRow);
  if (followed.length > MOST_FOLLOWED) rows.push(["", `and ${followed.length - MOST_FOLLOWED} more`]);
  return rows;
}

/** What was answered names it from then on: a dead letter. */
function followedRow({ entry, id, message, verdict, error, answer, outcome }: Followed): Row {
  const known = (answer as { id?: unknown } | undefined)?.id;
  const named = typeof known === "string" ? known : id;
  if (message === "deadLetter.add" && error === undefined) {
    const until = outcome?.entry === undefined ? undefined : `until entry ${outcome.entry}`;
    return ["letter", letterState(outcome), entryText(entry), named, until];
  }
  if (message === "alert.raised") return ["alert", "raised", entryText(entry), id];
  return ["followed", verdict, entryText(entry), `${message} ${named}`, faultOf(error)];
}

function letterState(outcome: Followed["outcome"]): string {
  if (outcome === undefined || outcome.state === "pending") return "open";
  const end = (outcome.data ?? {}) as { message?: unknown; discarded?: unknown };
  if (end.message !== undefined) return "redriven";
  return end.discarded === undefined ? "over" : "discarded";
}

/** The tries, and whatever had it tried again, in the order in which they came. */
function attemptRows({ attempts = [], retries = [], running }: Explained): Row[] {
  const tries = attempts.map(({ entry, error, clause, next, followed = [], erased }, at): [number, Row[]] => {
    const again = next === undefined ? undefined : `again from ${instant(next.notBefore)}`;
    const said = error !== undefined ? "failed" : erased === undefined ? "done" : "erased";
    const row: Row = [`attempt ${at + 1}`, said, entryText(entry), faultOf(error), clause, again];
    return [entry, [row, ...followedRows(followed)]];
  });
  const asked = retries.map(({ entry, id, message, principal, because }): [number, Row[]] => {
    const why = because === undefined ? undefined : `because of ${because.message} ${because.id}`;
    return [entry, [["retried", principal, entryText(entry), `${message} ${id}`, why]]];
  });
  const rows = [...tries, ...asked].sort(([a], [b]) => a - b).flatMap(([, some]) => some);
  if (running !== undefined && (attempts.length > 0 || running.attempt > 1)) {
    const from = running.notBefore === undefined ? undefined : `from ${instant(running.notBefore)}`;
    rows.push([`attempt ${attempts.length + 1}`, "owed", from]);
  }
  return rows;
}

function entryText(entry: number | undefined): string | undefined {
  return entry === undefined ? undefined : `entry ${entry}`;
}

function faultOf(error: Fault | undefined): string | undefined {
  return error === undefined ? undefined : `${error.code}: ${error.message}`;
}
