// Performing what is not here and can be reached: an execution like any other, which the far side carries out. Pure: what of it is
// in the row is what asking again needs.

import {
  type Envelope,
  type Fault,
  type FollowUp,
  fault,
  next,
  type Repeatable,
  refuse,
  type State,
  siblingId,
} from "@capstan/orchestrator";
import type { Course } from "../registry/destination.ts";
import { effectOf } from "./invocation.ts";
import {
  type Asked,
  type ExecutionRow,
  executionTable,
  INVOKE,
  type Original,
  type RecallRow,
  recallTable,
} from "./schema.ts";

/** A performing elsewhere whose caller says no deadline: the far side has its own, which nobody here knows. */
const TIMEOUT_MS = 10 * 60_000;
/** What comes from so deep is handed on no further: the far kernel would refuse it (DESIGN.md §3, HOPS_EXCEEDED). */
const MOST_HOPS = 16;
/** For so long another way may be asked by the same request: those who did it remember it for as long as keys are kept, a day. */
const REQUEST_MS = 60 * 60_000;

/** Why a message cannot be handed on: it goes round. */
function goesRound({ node, via, hops, message }: Envelope) {
  const { name } = message.data as { readonly name: string };
  if (via.includes(node)) return refuse("HOPS_EXCEEDED", `${name}: it came through ${node} already`);
  return hops < MOST_HOPS ? undefined : refuse("HOPS_EXCEEDED", `${name}: ${MOST_HOPS} nodes or causes deep; a loop?`);
}

/** @param nonce what this request is called from here on, where it is ours */
export function performElsewhere(envelope: Envelope, state: State, course: Course, nonce: () => string) {
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
  };
  const effect = carrying(execution, row, envelope, course);
  const asked: Asked = {
    by: course.by,
    ...takenBy(course),
    ...(envelope.via.length === 0 ? {} : { via: envelope.via }),
    request: envelope.request ?? nonce(),
    until: Math.min(effect.deadline, envelope.at + REQUEST_MS),
  };
  return next({
    data: { execution },
    pending: true,
    clause: course.text,
    state: state.put(executionTable, execution, { ...row, elsewhere: asked }),
    effects: [effect],
  });
}

function takenBy({ node, origin, only, repeatable, digest, address }: Course) {
  return {
    ...(only ? { only } : {}),
    ...(node === undefined ? {} : { to: node }),
    ...(origin === undefined ? {} : { origin }),
    ...(repeatable === undefined ? {} : { repeatable }),
    ...(digest === undefined ? {} : { digest }),
    ...(address === undefined ? {} : { address }),
  };
}

/** What `execution.ask` says. */
interface Asking extends Pick<Asked, "origin" | "repeatable" | "digest" | "open" | "key"> {
  readonly execution: string;
  /** That carries it. */
  readonly effect: string;
  readonly to: string;
}

interface Retried {
  readonly id: string;
  readonly row: ExecutionRow | undefined;
  readonly original: Original;
  /** As of now; there need be none to whoever was asked before. */
  readonly course: Course | undefined;
  readonly then: readonly FollowUp[] | undefined;
}

/**
 * Once more. Of what is not known the same is asked again, of whoever was asked, who joins it to the first; what failed is asked
 * anew.
 */
export function retryElsewhere(
  envelope: Envelope,
  state: State,
  { id, row, original, course, then }: Retried,
  nonce: () => string,
) {
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
  };
  const effect = carrying(id, tried, envelope, before ?? course);
  const asked: Asked = before ?? {
    ...{ by: course?.by ?? "", ...(course && takenBy(course)) },
    ...{ key: envelope.id, request: nonce(), until: Math.min(effect.deadline, envelope.at + REQUEST_MS) },
  };
  return next({
    data: { execution: id },
    pending: true,
    clause: before === undefined ? course?.text : "asked again by the same key",
    state: state.put(executionTable, id, { ...tried, elsewhere: asked }),
    effects: [{ ...effect, data: { execution: id, input: original.input }, after: original.ended }],
    then,
  });
}

/** Once more by itself, of whoever was asked, and not for anybody: who waited was told that it is not known. */
export function askAgain(
  { at }: Envelope,
  state: State,
  id: string,
  row: ExecutionRow & { readonly elsewhere: Asked },
) {
  const tried: ExecutionRow = { ...row, state: "running", attempt: row.attempt + 1 };
  const effect = carrying(id, tried, { at, deadline: undefined }, row.elsewhere);
  return next({
    data: { execution: id },
    clause: "asked again by the same key",
    state: state.put(executionTable, id, tried),
    effects: [{ ...effect, data: { execution: id, by: "itself" } }],
  });
}

/** It is begun again after a crash where its origin promises that this does no harm. */
function carrying(
  execution: string,
  row: ExecutionRow,
  { at, deadline }: Pick<Envelope, "at" | "deadline">,
  of: { readonly timeout?: number | undefined; readonly repeatable?: Repeatable | undefined } | undefined,
) {
  const latest = at + (of?.timeout ?? TIMEOUT_MS);
  return {
    id: effectOf(execution, row),
    kind: INVOKE,
    data: { execution },
    replayable: of?.repeatable !== undefined,
    attempt: row.attempt,
    deadline: deadline === undefined ? latest : Math.min(deadline, latest),
  };
}

/**
 * Whom it is asked of from now on. The row that this is about may be gone, or another try's: what was cancelled meanwhile is not asked
 * of anybody.
 */
export function asks(state: State, id: string, row: ExecutionRow | undefined, asking: Asking) {
  const { execution: _of, effect, to, ...way } = asking;
  if (row?.elsewhere === undefined || row.state !== "running" || effectOf(id, row) !== effect) {
    return refuse("EXECUTION_UNKNOWN", `${id} ended before ${to} was asked`);
  }
  const { origin: _, repeatable: __, digest: ___, open: ____, ...asked } = row.elsewhere;
  return next({ state: state.put(executionTable, id, { ...row, elsewhere: { ...asked, to, ...way } }) });
}

/** Whether it is our deadline, which says nothing of what became of an execution that was asked before, and whose outcome was not known. */
export function tellsNothing({ elsewhere }: ExecutionRow, { code, details }: Fault): boolean {
  // With details it is the word of whoever was asked, by the same key: so it ended there, and will not again.
  return elsewhere?.again !== undefined && code === "DEADLINE_EXCEEDED" && details === undefined;
}

/** The neighbours that may see to it, whoever was asked last first. */
export function askedOf({ to, open = [] }: Asked): readonly string[] {
  return to === undefined ? open : [to, ...open.filter((node) => node !== to)];
}

/** Whoever may still see to what is cancelled has to be told, however long that takes: none of their calls outlives its deadline. */
export function recallOf(
  { at, correlation, traceparent }: Pick<Envelope, "at" | "correlation" | "traceparent">,
  id: string,
  { action, elsewhere }: ExecutionRow,
): RecallRow | undefined {
  const nodes = elsewhere === undefined ? [] : askedOf(elsewhere);
  if (elsewhere === undefined || nodes.length === 0) return undefined;
  const { by, via, request, key, until = at } = elsewhere;
  return {
    ...{ by, action, under: key ?? siblingId(id, "m"), nodes, until: Math.max(until, at + TIMEOUT_MS) },
    ...(via === undefined ? {} : { via }),
    ...(request === undefined ? {} : { request }),
    ...(correlation === undefined ? {} : { correlation }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** @param node who was told; none: nobody is any more */
export function recalled(state: State, id: string, node: string | undefined) {
  const row = state.get(recallTable, id);
  if (row === undefined) return next();
  const nodes = node === undefined ? [] : row.nodes.filter((one) => one !== node);
  const after = nodes.length === 0 ? state.remove(recallTable, id) : state.put(recallTable, id, { ...row, nodes });
  return next({ state: after });
}

/**
 * An execution of which nobody knows whether it ran, and what whoever waits for it is told.
 * @param open who may still see to it, as far as whoever carried it knows
 */
export function lost(id: string, row: ExecutionRow, told: Fault | undefined, open: readonly string[] | undefined) {
  const { elsewhere } = row;
  const text = `${id}: the node died while it may have been running; execution.retry runs it again, abandon gives it up`;
  const asked = elsewhere && stillAsked(elsewhere, told, open);
  const givenUp = isGivenUp(told);
  const { joined: _, alerted, ...rest } = row;
  const toDo = givenUp ? "; nobody else knows whether it ran: execution.abandon gives it up here as well" : "";
  return {
    row: {
      ...rest,
      state: "ambiguous" as const,
      // That it was given up there is told as well.
      ...(alerted && givenUp === (elsewhere?.givenUp ?? false) ? { alerted } : {}),
      ...(asked && { elsewhere: givenUp ? { ...asked, givenUp: true as const } : asked }),
    },
    error: fault("EXECUTION_AMBIGUOUS", told === undefined ? text : told.message + toDo, told?.details, row.message),
  };
}

/** Somebody should look: of each that is not known there is one alert, until something else is said of it. */
export function unresolved(
  state: State,
  {
    executions,
    about,
    text,
  }: { readonly executions: readonly string[]; readonly about: string; readonly text: string },
) {
  let after = state;
  for (const id of executions) {
    const row = state.get(executionTable, id);
    if (row?.state === "ambiguous" && !row.alerted) after = after.put(executionTable, id, { ...row, alerted: true });
  }
  if (after === state) return next();
  const data = { kind: "execution-unknown", about, text };
  return next({ state: after, then: [{ message: { resource: "alert", action: "raised", data } }] });
}

/** Whoever was asked has given it up, and will never say what became of it. */
function isGivenUp(told: Fault | undefined): boolean {
  return told?.code === "EXECUTION_ABANDONED";
}

/** Whether it ends by that, here as there: it was handed on for another node, and whether it is given up is for whoever began it. */
export function endsWith({ elsewhere }: ExecutionRow, told: Fault | undefined): told is Fault {
  return isGivenUp(told) && (elsewhere?.via ?? []).length > 0;
}

function stillAsked(before: Asked, told: Pick<Fault, "details"> | undefined, open?: readonly string[]): Asked {
  const last = (told?.details as { peer?: { node?: string } } | undefined)?.peer?.node ?? before.to;
  const to = open === undefined || (last !== undefined && open.includes(last)) ? last : open[0];
  const { to: _, open: __, givenUp: ___, ...asked } = before;
  const others = (open ?? askedOf(before)).filter((node) => node !== to);
  return {
    ...asked,
    ...(to === undefined ? {} : { to }),
    ...(others.length === 0 ? {} : { open: others }),
    again: true,
  };
}
