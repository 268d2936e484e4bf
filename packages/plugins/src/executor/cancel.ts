// Cancelling: what runs here is aborted, and of what was asked of others it is written down who is still to be told. Pure.

import { type Fault, fault, next, siblingId } from "@capstan/orchestrator";
import type { Context } from "./context.ts";
import { recallOf } from "./elsewhere.ts";
import { effectOf, waitingFor } from "./invocation.ts";
import { type ExecutionRow, executionTable, OF_EXECUTION, RECALLED, REQUESTED, recallTable } from "./schema.ts";

/** What is ambiguous here may be running at whoever was asked. */
export function mayStillRun({ state, elsewhere }: ExecutionRow): boolean {
  return state === "running" || elsewhere !== undefined;
}

/**
 * Whoever performed it under that key takes it back; and where it is done for a request, whoever was handed that on: by whichever of its ways it
 * came first, who may perform it may join it (hub.ts), and here the same one may end it. Both are looked up by their keys: there may be
 * thousands open, and a peer may ask as often.
 */
export function recall(context: Context) {
  const { message, envelope, state, needs } = context;
  const { name, request } = message.data as { readonly name: string; readonly request?: string };
  const { principal, facts, via } = envelope;
  const found = new Map<string, ExecutionRow>();
  const add = (id: unknown, fits: (row: ExecutionRow) => boolean): void => {
    const row = typeof id === "string" ? state.get(executionTable, id) : undefined;
    if (row?.action === name && mayStillRun(row) && fits(row)) found.set(id as string, row);
  };
  add(facts[RECALLED], (row) => row.principal === principal);
  if (request !== undefined && via.length > 0) {
    const may = needs.authority.allows({ resource: "action", verb: "perform", name }) === undefined;
    add(facts[REQUESTED], (row) => may && row.requested === true);
  }
  return found.size === 0 ? next({ data: { recalled: false } }) : cancelled(context, [...found], { recalled: true });
}

export function cancelled(
  { envelope, state }: Context,
  rows: readonly (readonly [string, ExecutionRow])[],
  data: { readonly recalled: true } | { readonly execution: string },
) {
  let after = state;
  for (const [id, row] of rows) {
    after = after.remove(executionTable, id);
    const owed = recallOf(envelope, id, row);
    if (owed === undefined) continue;
    // It was cancelled before, and tried again: whoever was asked by the key of then is still to be told of that one.
    const isFirst = after.get(recallTable, id) === undefined;
    const of = isFirst ? {} : { execution: id };
    after = after.put(recallTable, isFirst ? id : siblingId(envelope.id, "x"), { ...owed, ...of });
  }
  return next({
    data,
    state: after,
    cancels: rows.filter(([, row]) => row.state === "running").map(([id, row]) => effectOf(id, row)),
    settles: rows.flatMap(([id, row]) => {
      // How a peer is called here is not for other peers, who may wait for it as well.
      const by = envelope.message.action === "recall" ? "whoever asked for it" : envelope.principal;
      const text = `${id} was cancelled by ${by}`;
      const error = ofExecution(id, row, fault("CANCELLED", text, undefined, row.message));
      return waitingFor(row).map((one) => ({ id: one, error }));
    }),
  });
}

/** What another node is told that asked for it: that this is what became of the execution, and no refusal. */
export function ofExecution(id: string, { requested }: ExecutionRow, error: Fault): Fault {
  const { details } = error;
  if (requested === undefined || Array.isArray(details)) return error;
  return { ...error, details: { ...(typeof details === "object" ? details : {}), [OF_EXECUTION]: id } };
}
