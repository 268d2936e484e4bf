// Who has to be told that what was asked elsewhere is cancelled, until each of them was told. Pure.

import { type Envelope, next, type State, siblingId } from "@capstan/orchestrator";
import { type Asked, type ExecutionRow, type RecallRow, recallTable } from "../schema.ts";

/** A performing elsewhere whose caller says no deadline: the far side has its own, which nobody here knows. */
export const FAR_TIMEOUT_MS = 10 * 60_000;

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
    ...{ by, action, under: key ?? siblingId(id, "m"), nodes, until: Math.max(until, at + FAR_TIMEOUT_MS) },
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
