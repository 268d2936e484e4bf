// Carrying out an execution whose action is elsewhere: whoever leads there is given the call, and what comes of it becomes the
// outcome, bounded like any other. What it takes and gives is the far side's to check.

import {
  type Awaitable,
  type EffectRuntime,
  entryOf,
  type Fault,
  FaultError,
  fault,
  type Message,
  type OwedEffect,
  type PluginRuntime,
  siblingId,
} from "@capstan/orchestrator";
import {
  type AskedWay,
  type Carried,
  type CarriedCall,
  type Carrier,
  REMEMBERED_MS,
  Unsettled,
} from "../../registry/elsewhere.ts";
import type { Asked, ExecutionRow } from "../schema.ts";
import { plainOutput } from "../task/plain-output.ts";
import { thrownFault } from "../task/thrown.ts";

/** What is there once the plugins run. */
export interface Ways extends Pick<PluginRuntime, "note" | "reader"> {
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
  // Begun again at a start, before there is any way: whoever was asked may have done it, and is asked once there is a session.
  if (ways === undefined) return outcome("lose", { execution });
  const carrier = ways.carriers.get(elsewhere.by);
  let carried: Carried;
  try {
    if (carrier === undefined) throw new FaultError(fault("ACTION_UNREACHABLE", `${name}: nobody leads there now`));
    const input = inputOf(ways, row, effect);
    // Nothing is waited for that is there: the first of many has left while the next ones begin.
    carried = await carrier.perform({
      ...callOf(row, elsewhere, effect, runtime.signal),
      ...{ key: elsewhere.key ?? siblingId(execution, "m"), anew: effect.id },
      input: input instanceof Promise ? await input : input,
      asks: asking(ways, execution, elsewhere, effect),
    });
  } catch (thrown) {
    const error = thrownFault(thrown, name);
    // Also where it is the far side's own word: asked again by the same key, it may know by then. Without details it is ours, and says
    // nothing of what became of it where it was asked before.
    const tellsNothing = elsewhere.again !== undefined && error.details === undefined;
    if (thrown instanceof Unsettled) return outcome("lose", { execution, error, open: thrown.open });
    if (error.code === "EXECUTION_AMBIGUOUS" || tellsNothing) return outcome("lose", { execution, error });
    const { peer } = thrown as { readonly peer?: unknown };
    return failed(execution, error, peer);
  }
  const plain = plainOutput(carried.output, name);
  if ("code" in plain) return failed(execution, plain);
  const { value } = plain;
  return outcome("complete", { execution, ...(value === undefined ? {} : { output: value }), via: carried.via });
}

function callOf(
  row: ExecutionRow,
  { request, via = [], to, open = [], origin, only = false, address, repeatable, digest, until = row.at, again }: Asked,
  effect: OwedEffect,
  signal: AbortSignal,
): Omit<CarriedCall, "asks" | "key" | "anew" | "input"> {
  const { action: name, publication } = row;
  const { correlation, traceparent, hops } = effect;
  // What whoever was asked does not know any more must not be begun, for it may have been done.
  const isRemembered = again === undefined || repeatable !== undefined || row.at < until + REMEMBERED_MS;
  // The far side's is at most ours: who waits no more wants nothing done. By itself nothing is begun that nobody waits for.
  const deadline = isByItself(effect) || !isRemembered ? until : effect.deadline;
  return {
    ...{
      name,
      publication,
      request,
      origin,
      only,
      address,
      repeatable,
      digest,
      deadline,
      until,
      correlation,
      traceparent,
      via,
      hops,
    },
    ...{ again: again && to, open: again ? open : [], signal },
  };
}

const isByItself = ({ data }: OwedEffect): boolean => (data as { readonly by?: string }).by === "itself";

/** What the first message asked; what owes it now may be another. */
function inputOf({ reader }: Ways, row: ExecutionRow, effect: OwedEffect): Awaitable<unknown> {
  const { data, message } = effect;
  if (row.input !== undefined) return row.input;
  if (isByItself(effect)) return loggedInput(reader, row);
  return (("input" in (data as object) ? data : message.data) as { input?: unknown }).input;
}

async function loggedInput(reader: Ways["reader"], row: ExecutionRow): Promise<unknown> {
  const entry = await entryOf(reader, row.message);
  const body = entry === undefined ? undefined : ((await reader.part(entry, "b")) as { data?: unknown } | undefined);
  if (body?.data === undefined)
    throw new FaultError(fault("ACTION_UNREACHABLE", `${row.action}: what it was asked is not in the log any more`));
  return (body.data as { readonly input?: unknown }).input;
}

/** Who is asked is in the row before it is asked: after a crash nothing else tells whom to ask what became of it. */
function asking(ways: Ways, execution: string, first: Asked, effect: OwedEffect): CarriedCall["asks"] {
  const { id, owing, hops, correlation, traceparent } = effect;
  let noted: Partial<AskedWay> & { readonly to?: string } = first;
  return (to, { origin, repeatable, digest, open = [], key = first.key }) => {
    const isNoted = to === noted.to && origin === noted.origin && repeatable === noted.repeatable;
    if (isNoted && digest === noted.digest && key === noted.key) return undefined;
    const way = {
      to,
      ...(origin === undefined ? {} : { origin }),
      ...(repeatable === undefined ? {} : { repeatable }),
      ...(digest === undefined ? {} : { digest }),
      ...(open.length === 0 ? {} : { open }),
      ...(key === undefined ? {} : { key }),
    };
    return note(outcome("ask", { execution, effect: id, ...way })).then(() => {
      noted = way;
    });
  };
  async function note(message: Message): Promise<void> {
    // What may be done twice is carried out before the entry is made that this comes after.
    await undefined;
    await ways.note(message, { cause: owing, hops, correlation, traceparent });
  }
}

/** @param peer whose message it was, where the fault's own details do not say */
function failed(execution: string, error: Fault, peer?: unknown): Message {
  return outcome("fail", { execution, error, retryable: false, ...(peer === undefined ? {} : { peer }) });
}

function outcome(verb: string, data: unknown): Message {
  return { resource: "execution", action: verb, data };
}
