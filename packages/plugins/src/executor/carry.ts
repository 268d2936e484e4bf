// Carrying out an execution whose action is elsewhere: whoever leads there is given the call, and what comes of it becomes the
// outcome, bounded like any other. What it takes and gives is the far side's to check.

import {
  type EffectRuntime,
  type Fault,
  FaultError,
  fault,
  type Message,
  type OwedEffect,
  type PluginRuntime,
  siblingId,
} from "@capstan/orchestrator";
import type { Carried, CarriedCall, Carrier } from "../registry/elsewhere.ts";
import { plainOutput, textOf } from "./plain-output.ts";
import type { Asked, ExecutionRow } from "./schema.ts";

/** What is there once the plugins run. */
export interface Ways extends Pick<PluginRuntime, "note"> {
  readonly carriers: ReadonlyMap<string, Carrier>;
}

export async function carry(
  ways: Ways | undefined,
  execution: string,
  row: ExecutionRow & { readonly elsewhere: Asked },
  effect: OwedEffect,
  runtime: EffectRuntime,
): Promise<Message> {
  const { action: name, elsewhere } = row;
  const carrier = ways?.carriers.get(elsewhere.by);
  let carried: Carried;
  try {
    if (ways === undefined || carrier === undefined)
      throw new FaultError(fault("ACTION_UNREACHABLE", `${name}: nobody leads there now`));
    carried = await carrier.perform({
      ...callOf(execution, row, elsewhere, effect, runtime.signal),
      asks: asking(ways, execution, elsewhere, effect),
    });
  } catch (thrown) {
    const error =
      thrown instanceof FaultError
        ? thrown.toFault()
        : fault("ACTION_FAILED", `${name}: ${textOf(thrown) || "it threw"}`);
    // Also where it is the far side's own word: asked again by the same key, it may know by then.
    return error.code === "EXECUTION_AMBIGUOUS" ? outcome("lose", { execution, error }) : failed(execution, error);
  }
  const plain = plainOutput(carried.output, name);
  if ("code" in plain) return failed(execution, plain);
  const { value } = plain;
  return outcome("complete", { execution, ...(value === undefined ? {} : { output: value }), via: carried.via });
}

function callOf(
  execution: string,
  row: ExecutionRow,
  { key = siblingId(execution, "m"), via = [], to, again }: Asked,
  effect: OwedEffect,
  signal: AbortSignal,
): Omit<CarriedCall, "asks"> {
  const { action: name, publication } = row;
  const { correlation, traceparent, hops, message, data } = effect;
  const { input } = ("input" in (data as object) ? data : message.data) as { readonly input?: unknown };
  // The far side's is at most ours: who waits no more wants nothing done.
  const deadline = effect.deadline;
  return { name, input, publication, key, deadline, correlation, traceparent, via, hops, again: again && to, signal };
}

/** Who is asked is in the row before it is asked: after a crash nothing else tells whom to ask what became of it. */
function asking(ways: Ways, execution: string, { to: first }: Asked, effect: OwedEffect): CarriedCall["asks"] {
  const { id, owing, hops, correlation, traceparent } = effect;
  let noted = first;
  return async (to) => {
    if (to === noted) return;
    await ways.note(outcome("ask", { execution, effect: id, to }), { cause: owing, hops, correlation, traceparent });
    noted = to;
  };
}

function failed(execution: string, error: Fault): Message {
  return outcome("fail", { execution, error, retryable: false });
}

function outcome(verb: string, data: unknown): Message {
  return { resource: "execution", action: verb, data };
}
