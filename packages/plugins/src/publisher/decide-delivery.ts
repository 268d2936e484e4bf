// Decides what deliveries lead to: cursors that move on, dead letters, and redeliveries. All of these messages are the node's own, except the
// one that asks for a redelivery.

import { type Fault, next, refuse } from "@capstan/orchestrator";
import type { Context } from "./context.ts";
import {
  cursorTable,
  DELIVERY,
  type FailedDelivery,
  PUBLISHED,
  REDELIVER,
  type Redelivery,
  receiverTable,
  subscriptionTable,
} from "./schema.ts";
import { nameIn, reading } from "./topic.ts";

export function decideDelivery(context: Context) {
  switch (context.message.action) {
    case "advance":
      return advance(context);
    case "fail":
      return fail(context);
    case "redeliver":
      return redeliver(context);
    case "redelivered":
      return redelivered(context);
    default:
      return next();
  }
}

function advance({ message, state }: Context) {
  const { cursors } = message.data as { readonly cursors: Readonly<Record<string, number>> };
  let after = state;
  for (const [id, entry] of Object.entries(cursors)) {
    // The subscription was deleted meanwhile, or its cursor is further already.
    const before = state.get(cursorTable, id);
    if (before !== undefined && before < entry) after = after.put(cursorTable, id, entry);
  }
  return next({ state: after });
}

function fail({ message, state, needs }: Context) {
  const failed = message.data as FailedDelivery;
  const { id, entry } = failed;
  const before = state.get(cursorTable, id);
  // The subscription was deleted meanwhile.
  if (before === undefined) return next();
  return next({
    clause: `${failed.error.code}, attempt ${failed.attempts}, the last`,
    state: before < entry ? state.put(cursorTable, id, entry) : state,
    then: [needs.deadLetters.add(letterOf(failed, failed.error))],
  });
}

function redeliver({ message, envelope, state, needs }: Context) {
  const { id, entry } = message.data as { readonly id: string; readonly entry: number };
  const row = state.get(subscriptionTable, id);
  const { authority } = needs;
  const receiver = row?.receiver === undefined ? undefined : state.get(receiverTable, row.receiver);
  if (row?.receiver === undefined || !authority.writes(row.receiver) || !authority.reads(nameIn(row.topic))) {
    return refuse(
      "SUBSCRIPTION_UNKNOWN",
      `there is no subscription ${id} with a receiver; subscription.list names them`,
    );
  }
  if (receiver === undefined) {
    return refuse("RECEIVER_UNKNOWN", `there is no receiver "${row.receiver}" any more; register it first`);
  }
  // The caller needs the right to read the topic: the receiver could be code of the caller's.
  const refused = authority.allows(reading(row.topic));
  if (refused !== undefined) return refuse(refused.code, refused.message, { details: refused.details });
  const { [PUBLISHED]: published } = envelope.facts as { readonly [PUBLISHED]?: string };
  const letter = needs.deadLetters.open(state, DELIVERY, aboutOf(id, entry));
  if (letter === undefined || published === undefined) {
    return refuse("DELIVERY_UNKNOWN", `no delivery of entry ${entry} by ${id} is a dead letter`);
  }
  const { principal, grant } = receiver.registrant;
  const data: Redelivery = {
    ...{ id, entry, message: published, receiver: receiver.name, attempts: 1, principal, grant, earlier: letter },
  };
  return next({
    data: { id, entry },
    pending: true,
    effects: [
      {
        kind: REDELIVER,
        data,
        // Replayable, because deliveries are at least once.
        replayable: true,
        deadline: envelope.at + receiver.timeout,
      },
    ],
    then: [needs.deadLetters.leave(letter)],
  });
}

function redelivered({ message, envelope, needs }: Context) {
  const { error, ...failed } = message.data as Redelivery & { readonly error?: Fault };
  const { id, entry } = failed;
  const owing = envelope.cause ?? "";
  if (error === undefined) return next({ settles: [{ id: owing, data: { id, entry } }] });
  return next({
    clause: error.code,
    settles: [{ id: owing, error }],
    then: [needs.deadLetters.add(letterOf({ ...failed, error }, error))],
  });
}

function aboutOf(id: string, entry: number): string {
  return `${id}/${entry}`;
}

function letterOf(
  { id, entry, message, receiver, attempts, principal, grant, earlier, quiet }: FailedDelivery,
  error: Fault,
) {
  return {
    ...{ kind: DELIVERY, about: aboutOf(id, entry), name: receiver, attempts, error },
    ...{ owing: message, principal, grant, earlier },
    redrive: { resource: "subscription", action: "redeliver", data: { id, entry } },
    ...(quiet ? { quiet: true as const } : {}),
  };
}
