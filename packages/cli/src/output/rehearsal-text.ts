// What a rehearsal found, for people: a line for each message that would have been decided otherwise, the sum, and by what one
// sees that nothing was carried out.

import type { Judgement, Rehearsal } from "@capstan/orchestrator";
import { columns } from "./columns.ts";
import { shown } from "./shown.ts";

/** Lines of differences that are shown unless all are asked for. */
export const MOST_LINES = 50;
const MOST_REASONS = 10;

export function rehearsalText(report: Rehearsal, all: boolean): string {
  const { differences, notes, state } = report;
  const most = all ? differences.length : MOST_LINES;
  const lines = differences
    .slice(0, most)
    .map(({ entry, id, message, principal, was, now }) => [entry, id, message, principal, said(was), `→ ${said(now)}`]);
  const more = differences.length - lines.length;
  return [
    ...notes.map((note) => `note: ${shown(note)}\n`),
    columns(lines),
    more > 0 ? `… and ${count(more)} more; --all shows them\n` : "",
    undecidables(report, all),
    `${sum(report)}\n`,
    `nothing was carried out; ${stateText(state)}\n`,
  ].join("");
}

/** `REFUSED (auth: clause 1: …)` */
function said({ verdict, code, plugin, clause }: Judgement): string {
  const by = [plugin, clause].filter((part) => part !== undefined).join(": ");
  return `${code ?? verdict}${by === "" ? "" : ` (${by})`}`;
}

function undecidables({ undecidables }: Rehearsal, all: boolean): string {
  if (all) {
    return columns(
      undecidables.map(({ entry, id, message, principal, reason }) => [
        ...[entry, id, message, principal],
        `undecidable: ${reason}`,
      ]),
    );
  }
  const reasons = [...Map.groupBy(undecidables, ({ reason }) => reason)].sort(
    ([, one], [, other]) => other.length - one.length,
  );
  const lines = reasons
    .slice(0, MOST_REASONS)
    .map(([reason, { length }]) => `undecidable  ${count(length)}  ${shown(reason)}\n`);
  const more = reasons.length - lines.length;
  return lines.join("") + (more > 0 ? `… and for ${count(more)} more reasons; --all shows them\n` : "");
}

function sum({ messages, same, differ, undecidable, skipped, entries: { from, to } }: Rehearsal): string {
  const parts = [
    `${count(same)} as before`,
    `${count(differ)} ${differ === 1 ? "differs" : "differ"}`,
    ...(undecidable > 0 ? [`${count(undecidable)} undecidable`] : []),
    ...(skipped > 0 ? [`${count(skipped)} not compared`] : []),
  ];
  const range = messages === 0 ? "" : ` (${messages === 1 ? `entry ${from}` : `entries ${from} to ${to}`})`;
  return `${count(messages)} ${messages === 1 ? "message" : "messages"}${range}: ${parts.join(", ")}`;
}

function stateText({ before, after, replayed, same }: Rehearsal["state"]): string {
  if (!same) return `yet the state differs: ${before} before, ${after} after, ${replayed ?? "unknown"} by the entries`;
  const unknown =
    replayed === undefined ? " (entries that made it are gone, so that it cannot be made again of them)" : "";
  return `state ${before} before and after${unknown}`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
