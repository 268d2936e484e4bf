// Performing what is not here and can be reached: an execution like any other, which the far side carries out. Pure: what of it is
// in the row is what asking again needs.

import {
  type Envelope,
  type Fault,
  type FollowUp,
  fault,
  next,
  refuse,
  type State,
  siblingId,
} from "@capstan/orchestrator";
import type { ElsewhereRow } from "../registry/elsewhere.ts";
import { effectOf } from "./invocation.ts";
import { type Asked, type ExecutionRow, executionTable, INVOKE, type Original } from "./schema.ts";

/** A performing elsewhere whose caller says no deadline: the far side has its own, which nobody here knows. */
const TIMEOUT_MS = 10 * 60_000;
/** What comes from so deep is handed on no further: the far kernel would refuse it (DESIGN.md §3, HOPS_EXCEEDED). */
const MOST_HOPS = 16;

/** Why a message cannot be handed on: it goes round. */
function goesRound({ node, via, hops, message }: Envelope) {
  const { name } = message.data as { readonly name: string };
  if (via.includes(node)) return refuse("HOPS_EXCEEDED", `${name}: it came through ${node} already`);
  return hops < MOST_HOPS ? undefined : refuse("HOPS_EXCEEDED", `${name}: ${MOST_HOPS} nodes or causes deep; a loop?`);
}

export function performElsewhere(envelope: Envelope, state: State, way: ElsewhereRow) {
  const round = goesRound(envelope);
  if (round !== undefined) return round;
  const { name, publication = "with" } = envelope.message.data as {
    name: string;
    publication?: "with" | "only" | "none";
  };
  const execution = siblingId(envelope.id, "x");
  const row: ExecutionRow = {
    action: name,
    revision: 0,
    message: envelope.id,
    principal: envelope.principal,
    state: "running",
    attempt: 1,
    at: envelope.at,
    ...(publication === "with" ? {} : { publication }),
    ...(envelope.deadline === undefined ? {} : { deadline: envelope.deadline }),
    elsewhere: { by: way.by, to: way.node, ...(envelope.via.length === 0 ? {} : { via: envelope.via }) },
  };
  return next({
    data: { execution },
    pending: true,
    clause: wayText(way),
    state: state.put(executionTable, execution, row),
    effects: [carrying(execution, row, envelope, way.timeout)],
  });
}

interface Asking {
  /** That carries it. */
  readonly effect: string;
  readonly to: string;
}

interface Retried {
  readonly id: string;
  readonly row: ExecutionRow | undefined;
  readonly original: Original;
  /** As of now; there need be none to whoever was asked before. */
  readonly way: ElsewhereRow | undefined;
  readonly then: readonly FollowUp[] | undefined;
}

/**
 * Once more. Of what is not known the same is asked again, of whoever was asked, who joins it to the first; what failed is asked
 * anew.
 */
export function retryElsewhere(envelope: Envelope, state: State, { id, row, original, way, then }: Retried) {
  const before = row?.elsewhere;
  const tried: ExecutionRow = {
    action: original.name,
    revision: 0,
    message: original.message,
    principal: original.principal,
    state: "running",
    attempt: 1,
    at: envelope.at,
    waiting: [envelope.id],
    input: original.input,
    ...(original.publication === undefined ? {} : { publication: original.publication }),
    ...(envelope.deadline === undefined ? {} : { deadline: envelope.deadline }),
    elsewhere: before ?? { by: way?.by ?? "", ...(way && { to: way.node }), key: envelope.id },
  };
  const effect = carrying(id, tried, envelope, way?.timeout);
  return next({
    data: { execution: id },
    pending: true,
    clause: before === undefined ? way && wayText(way) : "asked again by the same key",
    state: state.put(executionTable, id, tried),
    effects: [{ ...effect, data: { execution: id, input: original.input }, after: original.ended }],
    then,
  });
}

/** Never carried out twice by itself: whether the far side may is not announced. */
function carrying(execution: string, row: ExecutionRow, { at, deadline }: Envelope, timeout = TIMEOUT_MS) {
  const latest = at + timeout;
  return {
    id: effectOf(execution, row),
    kind: INVOKE,
    data: { execution },
    replayable: false,
    attempt: 1,
    deadline: deadline === undefined ? latest : Math.min(deadline, latest),
  };
}

function wayText({ peer, path, origin }: ElsewhereRow): string {
  return `by ${peer}, of ${origin}${path.length > 1 ? `, through ${path.slice(0, -1).join(", ")}` : ""}`;
}

/**
 * Whom it is asked of from now on. The row that this is about may be gone, or another try's: what was cancelled meanwhile is not asked
 * of anybody.
 */
export function asks(state: State, id: string, row: ExecutionRow | undefined, { effect, to }: Asking) {
  if (row?.elsewhere === undefined || row.state !== "running" || effectOf(id, row) !== effect) {
    return refuse("EXECUTION_UNKNOWN", `${id} ended before ${to} was asked`);
  }
  return next({ state: state.put(executionTable, id, { ...row, elsewhere: { ...row.elsewhere, to } }) });
}

/** Whether a fault says nothing of what became of an execution that was asked before, and whose outcome was not known. */
export function tellsNothing({ elsewhere }: ExecutionRow, { code, details }: Fault): boolean {
  if (elsewhere?.again === undefined) return false;
  return code === "ACTION_UNREACHABLE" || (code === "DEADLINE_EXCEEDED" && details === undefined);
}

/** An execution of which nobody knows whether it ran, and what whoever waits for it is told. */
export function lost(id: string, row: ExecutionRow, told: Pick<Fault, "message" | "details"> | undefined) {
  const { elsewhere } = row;
  const text = `${id}: the node died while it may have been running; execution.retry runs it again, abandon gives it up`;
  const to = (told?.details as { peer?: { node?: string } } | undefined)?.peer?.node ?? elsewhere?.to;
  const asked: Asked | undefined = elsewhere && { ...elsewhere, ...(to === undefined ? {} : { to }), again: true };
  return {
    row: { ...row, state: "ambiguous" as const, ...(asked && { elsewhere: asked }) },
    error: fault("EXECUTION_AMBIGUOUS", told?.message ?? text, told?.details, row.message),
  };
}
