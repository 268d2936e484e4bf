// An execution elsewhere of which nobody knows what became of it: who may still know is kept in its row, and somebody is alerted. Pure.

import { type Fault, fault, next, type State } from "@capstan/orchestrator";
import { type Asked, type ExecutionRow, executionTable } from "../schema.ts";
import { askedOf } from "./recall.ts";

/** Whether it is our deadline, which says nothing of what became of an execution that was asked before, and whose outcome was not known. */
export function tellsNothing({ elsewhere }: ExecutionRow, { code, details }: Fault): boolean {
  // With details it is the word of whoever was asked, by the same key: so it ended there, and will not again.
  return elsewhere?.again !== undefined && code === "DEADLINE_EXCEEDED" && details === undefined;
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
