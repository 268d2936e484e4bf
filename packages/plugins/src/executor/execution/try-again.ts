// Another try: by itself of what failed, or by `execution.retry`. Pure.

import { next, refuse } from "@capstan/orchestrator";
import { destinationOf } from "../../registry/destination.ts";
import type { ActionRow } from "../../registry/schema.ts";
import type { Context } from "../context.ts";
import { retryElsewhere } from "../elsewhere/perform-elsewhere.ts";
import { invocation } from "../invocation.ts";
import { type ExecutionRow, executionTable, ORIGINAL, type Original } from "../schema.ts";
import { nextTry } from "../tries.ts";
import { notOpen } from "./cancel.ts";
import { refuseUnfit, refuseUnknown } from "./decide-perform.ts";
import { EXECUTION, nextAt } from "./spent.ts";

/** Another try of what failed. */
export function anotherAttempt({ envelope, state }: Context, id: string, row: ExecutionRow, action: ActionRow) {
  const { deadline, input } = row;
  const tried: ExecutionRow = { ...row, attempt: row.attempt + 1 };
  const effect = invocation(id, tried, action, { at: envelope.at, deadline }, nextAt(row, action, envelope.at));
  return next({
    clause: `attempt ${row.attempt} of ${action.attempts}`,
    state: state.put(executionTable, id, tried),
    effects: [
      {
        ...effect,
        data: input === undefined ? effect.data : { execution: id, input },
        message: row.waiting?.[0] ?? row.message,
      },
    ],
  });
}

export function retry(context: Context, id: string, row: ExecutionRow | undefined) {
  const { envelope, state, needs } = context;
  const original = envelope.facts[ORIGINAL] as Original | undefined;
  if (row?.state === "running") {
    // It is asked by itself what became of it: whoever wants to know waits for that.
    if (row.elsewhere?.again === undefined || !needs.authority.writes(row.action))
      return notOpen(id, "ambiguous or failed");
    const joined = { ...row, joined: [...(row.joined ?? []), envelope.id] };
    return next({ data: { execution: id }, pending: true, state: state.put(executionTable, id, joined) });
  }
  const open = original !== undefined && (row !== undefined || original.state === "failed");
  if (!open || !needs.authority.writes(original.name)) return notOpen(id, "ambiguous or failed");
  const letter = needs.deadLetters.open(state, EXECUTION, id);
  // However it came to be tried again, it is no dead letter any more.
  const then = letter === undefined ? undefined : [needs.deadLetters.leave(letter)];
  const known = state.get(needs.actions, original.name);
  const from = { node: envelope.node, via: [] };
  const where = row?.elsewhere === undefined ? destinationOf(original, from, known !== undefined, state) : undefined;
  const action = where === "here" ? known : undefined;
  if (action === undefined) {
    if (row?.elsewhere === undefined && (where === undefined || where === "here"))
      return refuseUnknown(context, original.name);
    if (typeof where === "object" && "unreachable" in where) return refuse("ACTION_UNREACHABLE", where.unreachable);
    const course = typeof where === "object" ? where : undefined;
    return retryElsewhere(envelope, state, { id, row, original, course, then }, () => context.nonce);
  }
  const misfit = refuseUnfit(action, original.input);
  if (misfit !== undefined) return misfit;
  const earlier = letter ?? row?.ifSpent?.earlier;
  const spendable = action.attempts > 1 || earlier !== undefined;
  const tried: ExecutionRow = {
    ...nextTry(envelope, original, action.revision),
    ...((row?.requested ?? original.requested) ? { requested: true as const } : {}),
    ...(spendable
      ? { ifSpent: { attempts: action.attempts, grant: original.grant, ...(earlier === undefined ? {} : { earlier }) } }
      : {}),
  };
  const effect = invocation(id, tried, action, envelope, undefined);
  return next({
    data: { execution: id },
    pending: true,
    state: state.put(executionTable, id, tried),
    // The owing message is the retry; what the first was asked goes with the effect.
    effects: [{ ...effect, data: { execution: id, input: original.input }, after: original.ended }],
    then,
  });
}
