// Subscriptions: who gets what, how far each is, and why one stands still.

import { columns, instant } from "../output/columns.ts";
import { count } from "../output/count.ts";
import { shown } from "../output/shown.ts";
import type { Presentation } from "./presentation.ts";

interface Row {
  readonly id: string;
  readonly topic: string;
  readonly receiver?: string;
  readonly name?: string;
  readonly principal: string;
  readonly grant: string;
  readonly at: number;
  readonly cursor: string;
  /** Entries that it has not looked at. */
  readonly lag: number;
  readonly state: string;
  readonly why?: unknown;
  readonly failing?: unknown;
  /** How many deliveries failed for good. */
  readonly deadLetters?: unknown;
  readonly followed?: boolean;
  /** Of its topics, those that other nodes publish. */
  readonly elsewhere?: readonly Elsewhere[];
}

interface Elsewhere {
  readonly topic: string;
  readonly state: string;
  readonly origin?: string;
  readonly via?: string;
  readonly why?: unknown;
  readonly since?: number;
  readonly at?: number;
  readonly missed?: { readonly text: unknown; readonly at: number; readonly times: number };
}

const PLACES = "now, start, or a cursor (default: now)";

export const subscriptionPresentations: Readonly<Record<string, Presentation>> = {
  "subscription.create": {
    texts: {
      topic: "exact, like action.greet, or a prefix with *, like action.*",
      receiver: "who is handed the publications; without one it is a cursor, to read or follow by",
      name: "what it is called: another of the name is refused",
      from: PLACES,
      attempts: "how often a delivery is tried at most (default: the receiver's)",
      backoff: "milliseconds, or 5s, before the second try (default: the receiver's)",
    },
    examples: [
      "capstan subscription create action.greet --receiver mail --from start",
      "capstan subscription create 'action.order/*' --name orders",
    ],
    text(answer) {
      const { id, cursor } = answer as Row;
      return `subscription ${shown(id)}   from ${shown(cursor)}\n`;
    },
  },
  "subscription.delete": { text: (answer) => `ended ${shown((answer as Row).id)}\n` },
  "subscription.resume": { text: (answer) => `${shown((answer as Row).id)} goes on\n` },
  "subscription.list": {
    texts: { topic: "only those of this topic", receiver: "only those of this receiver" },
    text: (answer) =>
      columns(
        (answer as { items: readonly Row[] }).items.map((row) => [
          ...[row.id, row.topic, to(row), `${count(row.lag)} behind`],
          whyText(row) === "" ? row.state : `${row.state}: ${whyText(row)}`,
          lettersOf(row) === 0 ? "" : `${count(lettersOf(row))} failed for good`,
        ]),
      ),
  },
  "subscription.show": { text: (answer) => shownText(answer as Row) },
  "subscription.read": {
    saidBy: { id: ["id", "topic"] },
    texts: {
      id: "the subscription; or a topic",
      topic: "exact, or a prefix with *",
      after: PLACES,
      limit: "how many at most (default: 100)",
      wait: "milliseconds, or 10s, to wait where there are none",
    },
    examples: ["capstan subscription read --topic action.greet --after start", "capstan tail action.greet"],
  },
  // A function is nothing to type: capstan tail.
  "subscription.follow": { unlisted: true },
  "subscription.acknowledge": {
    text: (answer) => `${shown((answer as Row).id)} is through up to ${shown((answer as Row).cursor)}\n`,
  },
  "subscription.redeliver": {
    texts: { entry: "the publication's" },
    examples: ["capstan subscription redeliver s-01J8… --entry 12"],
  },
};

function shownText(row: Row): string {
  const letters = lettersOf(row);
  return columns([
    ["subscription", `${row.id}${row.name === undefined ? "" : `  ${row.name}`}`],
    ["topic", `${row.topic} ${to(row)}`],
    ["by", `${row.principal} under ${row.grant}, ${instant(row.at)}`],
    ["cursor", `${row.cursor}   ${count(row.lag)} ${row.lag === 1 ? "entry" : "entries"} behind`],
    [row.state, whyText(row)],
    ...(letters === 0
      ? []
      : [["failed", `${count(letters)} for good: capstan dead-letter list --name ${row.receiver}`]]),
    ...(Array.isArray(row.elsewhere) ? row.elsewhere.flatMap(elsewhereLines) : []),
  ]);
}

/** A receiver that fails on everything is active, and up to date. */
function lettersOf({ deadLetters }: Row): number {
  return typeof deadLetters === "number" ? deadLetters : 0;
}

function to({ receiver, followed }: Row): string {
  if (receiver !== undefined) return `→ ${receiver}`;
  return followed ? "followed" : "cursor";
}

/** Whether it arrives, from whom, and since when not. */
function elsewhereLines({ topic, state, origin, via, why, since, at, missed }: Elsewhere): string[][] {
  const from = origin === undefined ? "" : ` from ${origin}${via === undefined ? "" : ` by ${via}`}`;
  const last = at === undefined ? "" : `, the last ${instant(at)}`;
  const not = why === undefined ? "" : `${since === undefined ? "" : ` since ${instant(since)}`}: ${String(why)}`;
  const lines = [["elsewhere", `${topic}  ${state}${from}${last}${not}`]];
  if (missed?.text === undefined) return lines;
  return [
    ...lines,
    ["missed", `${count(Number(missed.times))}, the last ${instant(missed.at)}: ${String(missed.text)}`],
  ];
}

/** Of what stopped it, or what it is being tried again for. */
function whyText({ why, failing }: Row): string {
  const said = why ?? failing;
  if (said === undefined) return "";
  if (typeof said !== "object" || said === null) return String(said);
  const { code, message, error } = said as Readonly<Record<string, unknown>>;
  if (code !== undefined || message !== undefined) return [code, message].filter(Boolean).join(": ");
  return error === undefined ? JSON.stringify(said) : whyText({ why: error } as Row);
}
