// The effect that an execution owes, and which messages wait for its end.

import { type Envelope, siblingId } from "@capstan/orchestrator";
import type { ActionRow } from "../registry/schema.ts";
import { type ExecutionRow, INVOKE } from "./schema.ts";

/** The effect that runs an execution's attempt. */
export function invocation(
  execution: string,
  row: ExecutionRow,
  action: ActionRow,
  { at, deadline }: Pick<Envelope, "at" | "deadline">,
  notBefore: number | undefined,
) {
  const start = notBefore ?? at;
  return {
    id: effectOf(execution, row),
    kind: INVOKE,
    data: { execution },
    replayable: action.idempotent || action.readOnly,
    attempt: row.attempt,
    notBefore,
    deadline: deadline === undefined ? start + action.timeout : Math.min(deadline, start + action.timeout),
  };
}

/** The effect's id, never used again: each retry counts attempts from 1, and so makes ids from its own message's id. */
export function effectOf(execution: string, { attempt, waiting }: Pick<ExecutionRow, "attempt" | "waiting">): string {
  const retry = waiting?.[0];
  return `${retry === undefined ? execution : siblingId(retry, "r")}.${attempt}`;
}

export function waitingFor(row: ExecutionRow): readonly string[] {
  const { message, waiting = [], joined = [] } = row;
  return [message, ...waiting, ...joined];
}
