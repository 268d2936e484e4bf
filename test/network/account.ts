// What callers were told against what providers wrote down.

import type { Asked } from "./load.ts";
import type { Settled } from "./settle.ts";

export interface Sums {
  performs: number;
  done: number;
  /** By code. */
  failed: Record<string, number>;
  /** Told so; and what came of those when they were asked again by hand. */
  ambiguous: number;
  resolved: Record<string, number>;
  /** Their node died, and they had no key to ask again by. */
  unanswered: number;
  lost: number;
  /** Of those that must not. */
  twice: number;
  /** Of those that may. */
  again: number;
}

export function emptySums(): Sums {
  return { performs: 0, done: 0, failed: {}, ambiguous: 0, resolved: {}, unanswered: 0, lost: 0, twice: 0, again: 0 };
}

/** Faults that say that nothing ran. */
const NOTHING_RAN = new Set([
  "ACTION_UNREACHABLE",
  "ACTION_UNKNOWN",
  "HOPS_EXCEEDED",
  "PEER_SESSION_OVER",
  "PEER_UNREACHABLE",
]);

/** @param runs by the request's number @param resolved by node and execution. Answers what is wrong. */
export function account(
  ledger: readonly Asked[],
  runs: ReadonlyMap<number, number>,
  resolved: Settled,
  sums: Sums,
): string[] {
  const wrong: string[] = [];
  for (const asked of ledger) {
    const { n, node, action, came } = asked;
    const ran = runs.get(n) ?? 0;
    const what = `${n} (${action.name} at ${node}${asked.key === undefined ? "" : ", with a key"})`;
    sums.performs++;
    if (ran > 1) {
      if (action.idempotent) sums.again++;
      else {
        sums.twice++;
        wrong.push(`TWICE ${what} ran ${ran} times`);
      }
    }
    const lost = (why: string): void => {
      sums.lost++;
      wrong.push(`LOST ${what}: ${why}`);
    };
    switch (came?.kind) {
      case undefined:
        lost("no outcome");
        break;
      case "done":
        sums.done++;
        if (ran === 0) lost("done, and nobody wrote it down");
        if (came.output?.n !== n) wrong.push(`${what} was answered for ${came.output?.n}`);
        break;
      case "failed":
        count(sums.failed, came.code);
        if (!NOTHING_RAN.has(came.code)) wrong.push(`${what}: ${came.code} does not say whether it ran: ${came.text}`);
        // What may run twice is begun before it is accepted: of the first nothing was left.
        else if (ran > 0 && !(action.idempotent && asked.twice))
          wrong.push(`${what}: ${came.code} says that nothing ran, and it did: ${came.text}`);
        break;
      case "ambiguous": {
        sums.ambiguous++;
        const end = resolved.get(`${node} ${came.execution}`);
        if (end === undefined || end.kind === "ambiguous") {
          lost(`told to be ambiguous (${came.execution}), for ever: ${end?.text ?? ""}`);
          break;
        }
        count(sums.resolved, `${end.code ?? end.kind}${end.byItself ? " by itself" : ""}`);
        if (end.kind === "done" && ran === 0) lost("done when it was asked again, and nobody wrote it down");
        if (end.kind === "failed" && end.code !== undefined && NOTHING_RAN.has(end.code) && ran > 0)
          wrong.push(`${what}: asked again, ${end.code} says that nothing ran, and it did`);
        break;
      }
      case "unanswered":
        sums.unanswered++;
        break;
      default:
        came satisfies never;
    }
  }
  return wrong;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
