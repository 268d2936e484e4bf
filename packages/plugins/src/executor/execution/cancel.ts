// Cancelling: what runs here is aborted, what is held is held no more, and of what was asked of others it is written down who is still to
// be told. Pure.

import { type Fault, fault, next, refuse, siblingId } from "@capstan/orchestrator";
import { destinationOf } from "../../registry/destination.ts";
import type { Context } from "../context.ts";
import { recallOf } from "../elsewhere/recall.ts";
import { effectOf, waitingFor } from "../invocation.ts";
import { type ExecutionRow, executionTable, OF_EXECUTION, RECALLED, REQUESTED, recallTable } from "../schema.ts";
import { type HeldCall, heldCalls } from "./held-calls.ts";

/** What is ambiguous here may be running at whoever was asked. */
function mayStillRun({ state, elsewhere }: ExecutionRow): boolean {
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
  const mayJoin =
    request !== undefined &&
    via.length > 0 &&
    needs.authority.allows({ resource: "action", verb: "perform", name }) === undefined;
  if (mayJoin) add(facts[REQUESTED], (row) => row.requested === true);
  const held = heldCalls(context).filter(
    (one) => one.name === name && (one.principal === principal || (mayJoin && one.request === request)),
  );
  if (found.size + held.length === 0) return next({ data: { recalled: false } });
  return cancelled(context, [...found], { recalled: true }, held);
}

/** @param id of the execution; or what it would have, had its message been let through */
export function cancel(context: Context, id: string) {
  const { state, needs } = context;
  const row = state.get(executionTable, id);
  const rows = row !== undefined && mayStillRun(row) ? [[id, row] as const] : [];
  const held = heldCalls(context);
  const [name] = [...rows.map(([, { action }]) => action), ...held.map((one) => one.name)];
  if (name === undefined || !needs.authority.writes(name)) return notOpen(id, "running or held");
  return cancelled(context, rows, { execution: held[0]?.retries ?? id }, held);
}

export function notOpen(id: string, state: string) {
  return refuse("EXECUTION_UNKNOWN", `there is no ${state} execution ${id}; execution.show tells what became of it`);
}

export function cancelled(
  { envelope, state, needs }: Context,
  rows: readonly (readonly [string, ExecutionRow])[],
  data: { readonly recalled: true } | { readonly execution: string },
  held: readonly HeldCall[] = [],
) {
  // How a peer is called here is not for other peers, who may wait for it as well.
  const by = envelope.message.action === "recall" ? "whoever asked for it" : envelope.principal;
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
    settles: [
      ...rows.flatMap(([id, row]) => {
        const error = ofExecution(id, row, fault("CANCELLED", `${id} was cancelled by ${by}`, undefined, row.message));
        return waitingFor(row).map((one) => ({ id: one, error }));
      }),
      ...held.map((one) => {
        const { message, name, request } = one;
        const text = `${message} was cancelled by ${by} while it was held; nothing was done`;
        const error = fault("CANCELLED", text, undefined, message);
        // Where it would have been done here nobody has done it, by whatever way it came.
        const known = state.get(needs.actions, name) !== undefined;
        const isHere = destinationOf(one, { node: envelope.node, via: one.via }, known, state) === "here";
        const requested = isHere && request !== undefined ? (true as const) : undefined;
        return { id: message, error: ofExecution(siblingId(message, "x"), { requested }, error) };
      }),
    ],
  });
}

/** What another node is told that asked for it: that this is what became of the execution, and no refusal. */
export function ofExecution(id: string, { requested }: { readonly requested?: true | undefined }, error: Fault): Fault {
  const { details } = error;
  if (requested === undefined || Array.isArray(details)) return error;
  return { ...error, details: { ...(typeof details === "object" ? details : {}), [OF_EXECUTION]: id } };
}
