// Whether a failed execution is retried, and whether it becomes a dead letter. Pure. README.md states the rule.

import type { Fault } from "@capstan/orchestrator";
import type { DeadLetter } from "../../dead-letter/schema.ts";
import type { ActionRow } from "../../registry/schema.ts";
import type { ExecutionRow, IfSpent } from "../schema.ts";

/** The kind of the letters about executions. */
export const EXECUTION = "execution";

/** Why a failed attempt is not retried: it could not help, might do harm, there were enough, or it would be too late. */
export function whySpent(
  row: ExecutionRow,
  action: ActionRow | undefined,
  at: number,
  { error, retryable }: { readonly error: Fault; readonly retryable: boolean },
): string | undefined {
  const attempts = action?.attempts ?? row.ifSpent?.attempts ?? 1;
  const attempt = `attempt ${row.attempt} of ${attempts}`;
  if (!retryable) return `${attempt}; trying again does not help against ${error.code}`;
  if (action === undefined) return `${attempt}; the action was removed`;
  if (!(action.idempotent || action.readOnly)) return `${attempt}; it may do harm twice: not idempotent`;
  if (row.attempt >= attempts) return `${attempt}, the last`;
  if (row.deadline !== undefined && row.deadline <= nextAt(row, action, at))
    return `${attempt}; the deadline leaves no time for another`;
  return undefined;
}

/** When the next attempt begins, in milliseconds since the epoch. */
export function nextAt({ attempt }: ExecutionRow, { backoff }: ActionRow, at: number): number {
  return at + backoff * 2 ** (attempt - 1);
}

export function letterOf(id: string, row: ExecutionRow, { grant, earlier }: IfSpent, error: Fault): DeadLetter {
  return {
    ...{ kind: EXECUTION, about: id, name: row.action, attempts: row.attempt, error },
    ...{ owing: row.message, principal: row.principal, grant },
    redrive: { resource: "execution", action: "retry", data: { id } },
    ...(earlier === undefined ? {} : { earlier }),
  };
}
