// Performing what is not here and can be reached: an execution like any other, which the far side carries out. Pure: what of it is
// in the row is what asking again needs.

import {
  type Envelope,
  type FollowUp,
  next,
  type Repeatable,
  refuse,
  type State,
  siblingId,
} from "@capstan/orchestrator";
import type { Course } from "../../registry/destination.ts";
import { effectOf } from "../invocation.ts";
import { type Asked, type ExecutionRow, executionTable, INVOKE, type Original } from "../schema.ts";
import { firstTry, nextTry } from "../tries.ts";
import { FAR_TIMEOUT_MS } from "./recall.ts";

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
  const { name, publication } = envelope.message.data as {
    name: string;
    publication?: "with" | "only" | "none";
  };
  const execution = siblingId(envelope.id, "x");
  const row = firstTry(envelope, name, 0, publication);
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
  const tried = nextTry(envelope, original, 0);
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
  const latest = at + (of?.timeout ?? FAR_TIMEOUT_MS);
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
