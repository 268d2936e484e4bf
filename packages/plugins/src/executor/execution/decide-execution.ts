// What becomes of an execution: it ends, fails, is lost, cancelled, given up. Pure.

import { type Fault, fault, next, siblingId } from "@capstan/orchestrator";
import { type ActionRow, topicOf } from "../../registry/schema.ts";
import type { Context } from "../context.ts";
import { askAgain, asks } from "../elsewhere/perform-elsewhere.ts";
import { recalled } from "../elsewhere/recall.ts";
import { endsWith, lost, tellsNothing, unresolved } from "../elsewhere/unknown-outcome.ts";
import { effectOf, waitingFor } from "../invocation.ts";
import { type ExecutionRow, executionTable } from "../schema.ts";
import { cancel, notOpen, ofExecution } from "./cancel.ts";
import { letterOf, whySpent } from "./spent.ts";
import { anotherAttempt, retry } from "./try-again.ts";

export function decideExecution(context: Context) {
  const { message, envelope, state, needs } = context;
  const data = message.data as {
    id: string;
    execution: string;
    error: Fault;
    retryable: boolean;
    open?: readonly string[];
    node?: string;
  };
  const id = data.id ?? data.execution;
  const row = state.get(executionTable, id);
  switch (message.action) {
    case "ask":
      return asks(state, id, row, message.data as Parameters<typeof asks>[3]);
    case "recalled":
      return recalled(state, id, data.node);
    case "unresolved":
      return unresolved(state, message.data as Parameters<typeof unresolved>[1]);
    case "again":
      if (row?.state !== "ambiguous" || row.elsewhere?.again === undefined) return next();
      return askAgain(envelope, state, id, { ...row, elsewhere: row.elsewhere });
    case "complete":
      // What was cancelled or given up in the meantime has been settled.
      if (row === undefined) return next();
      return next({
        state: state.remove(executionTable, id),
        settles: waitingFor(row).map((one) =>
          row.publication === "only" ? { id: one, data: { execution: id } } : { id: one },
        ),
        // What comes of an action elsewhere is published where the action is.
        publishes: row.publication === "none" || row.elsewhere !== undefined ? undefined : topicOf(row.action),
      });
    case "fail": {
      if (row === undefined) return next();
      if (tellsNothing(row, data.error)) return lose(context, id, row, data.error, undefined);
      const action = row.elsewhere === undefined ? state.get(needs.actions, row.action) : undefined;
      const spent = whySpent(row, action, envelope.at, data);
      if (spent === undefined) return anotherAttempt(context, id, row, action as ActionRow);
      const error = ofExecution(id, row, { ...data.error, id: row.message });
      return next({
        clause: row.ifSpent === undefined ? undefined : spent,
        state: state.remove(executionTable, id),
        settles: waitingFor(row).map((one) => ({ id: one, error })),
        then: row.ifSpent === undefined ? undefined : [needs.deadLetters.add(letterOf(id, row, row.ifSpent, error))],
      });
    }
    case "lose":
      return row === undefined ? next() : lose(context, id, row, data.error, data.open);
    case "cancel":
      return cancel(context, siblingId(id, "x"));
    case "abandon": {
      // Also while it is asked again what became of it: that may take its time, and whoever waits for it is told.
      const isUnknown = row?.state === "ambiguous" || row?.elsewhere?.again !== undefined;
      if (row === undefined || !isUnknown || !needs.authority.writes(row.action)) return notOpen(id, "ambiguous");
      const error = fault("EXECUTION_ABANDONED", `${id} was given up by ${envelope.principal}`, undefined, row.message);
      return next({
        data: { execution: id },
        state: state.remove(executionTable, id),
        cancels: row.state === "running" ? [effectOf(id, row)] : undefined,
        settles: waitingFor(row).map((one) => ({ id: one, error })),
      });
    }
    case "retry":
      return retry(context, id, row);
    default:
      return next();
  }
}

/** Nobody knows whether it ran. */
function lose(
  { state }: Context,
  id: string,
  row: ExecutionRow,
  told: Fault | undefined,
  open: readonly string[] | undefined,
) {
  const isOver = endsWith(row, told);
  const { row: ambiguous, error } = isOver
    ? { row: undefined, error: { ...told, id: row.message } }
    : lost(id, row, told, open);
  return next({
    state: ambiguous === undefined ? state.remove(executionTable, id) : state.put(executionTable, id, ambiguous),
    settles: waitingFor(row).map((one) => ({ id: one, error })),
  });
}
