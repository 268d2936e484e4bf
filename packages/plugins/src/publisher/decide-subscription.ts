// Subscriptions: a row that says what is delivered to whom, and a cursor row that only moves forward. Deciding never reads publications.

import { entryNumberOf, type Fault, next, type PluginContext, refuse, siblingId } from "@capstan/orchestrator";
import { topicOf } from "../registry/schema.ts";
import type { Context } from "./context.ts";
import { cursorAt } from "./cursor.ts";
import { decideDelivery } from "./decide-delivery.ts";
import { unknown as unknownReceiver } from "./decide-receiver.ts";
import { decideImport, decideReach, decideRelease } from "./elsewhere/decide-import.ts";
import { isElsewhere, someElsewhere } from "./elsewhere/topics.ts";
import {
  cursorTable,
  FROM,
  type From,
  NEAR,
  receiverTable,
  type SubscriptionRow,
  subscriptionTable,
} from "./schema.ts";
import { isHere, isPattern, nameIn, reading, unknownTopic } from "./topic.ts";

interface Which {
  readonly id?: string;
  readonly topic?: string;
  readonly from?: string;
}

export function decideSubscription(context: Context) {
  const { message, state, envelope, needs } = context;
  const { id } = message.data as { readonly id: string };
  switch (message.action) {
    case "create":
      return create(context);
    case "delete": {
      const row = mine(context, id);
      if (row === undefined) return unknown(id);
      return next({ data: { id }, state: state.remove(subscriptionTable, id).remove(cursorTable, id) });
    }
    case "resume": {
      const row = mine(context, id);
      if (row === undefined) return unknown(id);
      const refused = needs.authority.allows(reading(row.topic));
      if (refused !== undefined) return because(refused);
      const { may: _may, ...rest } = row;
      return next({ data: { id }, state: state.put(subscriptionTable, id, { ...rest, ...holder(envelope) }) });
    }
    case "acknowledge":
      return acknowledge(context, id);
    case "show":
      return mine(context, id) === undefined ? unknown(id) : next();
    case "read":
    case "follow":
      return which(context);
    case "reach":
      return decideReach(context);
    case "import":
      return decideImport(context);
    case "release":
      return decideRelease(context);
    default:
      return decideDelivery(context);
  }
}

function create(context: Context) {
  const { message, envelope, state, needs } = context;
  const data = message.data as Pick<SubscriptionRow, "topic" | "receiver" | "name" | "attempts" | "backoff">;
  const { topic, receiver, name, attempts, backoff } = data;
  const from = envelope.facts[FROM] as From | { readonly fault: Fault };
  if ("fault" in from) return because(from.fault);
  const missing = topicUnknown(context, topic);
  if (missing !== undefined) return missing;
  const refused = needs.authority.allows(reading(topic));
  if (refused !== undefined) return because(refused);
  if (
    receiver !== undefined &&
    (state.get(receiverTable, receiver) === undefined || !needs.authority.writes(receiver))
  ) {
    return unknownReceiver(context, receiver);
  }
  if (name !== undefined) {
    for (const [id, row] of state.rows(subscriptionTable)) {
      if (row.name !== name || row.principal !== envelope.principal) continue;
      return refuse("SUBSCRIPTION_EXISTS", `${envelope.principal} has a subscription "${name}" of ${row.topic}: ${id}`);
    }
  }
  const id = siblingId(envelope.id, "s");
  const entry = from.entry ?? entryNumberOf(envelope);
  const row: SubscriptionRow = {
    topic,
    ...holder(envelope),
    at: envelope.at,
    ...(receiver === undefined ? {} : { receiver }),
    ...(name === undefined ? {} : { name }),
    ...(attempts === undefined ? {} : { attempts }),
    ...(backoff === undefined ? {} : { backoff }),
  };
  return next({
    data: { id, cursor: cursorAt(entry, { restorations: [], ...from }) },
    state: state.put(subscriptionTable, id, row).put(cursorTable, id, entry),
  });
}

function acknowledge(context: Context, id: string) {
  const { envelope, state, needs } = context;
  const row = mine(context, id);
  if (row === undefined) return unknown(id);
  const refused = needs.authority.allows(reading(row.topic));
  if (refused !== undefined) return because(refused);
  if (row.receiver !== undefined) {
    return refuse("CURSOR_INVALID", `${id} is "${row.receiver}"'s: what it is handed acknowledges itself`);
  }
  const from = envelope.facts[FROM] as From | { readonly fault: Fault };
  if ("fault" in from) return because(from.fault);
  const before = state.get(cursorTable, id) ?? 0;
  const entry = Math.max(before, from.entry ?? before);
  const data = { id, cursor: cursorAt(entry, { restorations: [], ...from }) };
  // An older cursor is a repeat, or was overtaken: it changes nothing.
  return entry === before ? next({ data }) : next({ data, state: state.put(cursorTable, id, entry) });
}

/** What is to be read or followed: a subscription of the caller's, or a topic. */
function which(context: Context) {
  const { message, needs } = context;
  const { id, topic, from } = message.data as Which;
  if ((id === undefined) === (topic === undefined)) {
    return refuse("MESSAGE_INVALID", `subscription.${message.action}: say either "id" or "topic"`);
  }
  if (id === undefined) {
    const { reads } = needs.authority;
    const of = topic as string;
    if (!isPattern(of) && !reads(nameIn(of))) return because(unknownTopic(of, readable(context)));
    const missing = topicUnknown(context, of);
    if (missing !== undefined) return missing;
    const refused = needs.authority.allows(reading(of));
    return refused === undefined ? next() : because(refused);
  }
  const row = mine(context, id);
  if (row === undefined) return unknown(id);
  if (row.receiver !== undefined && message.action === "follow") {
    return refuse(
      "CURSOR_INVALID",
      `${id} is "${row.receiver}"'s; make a subscription without a receiver to follow by it`,
    );
  }
  if (from !== undefined) return refuse("CURSOR_INVALID", `${id} has a cursor of its own; "from" is for a topic`);
  const refused = needs.authority.allows(reading(row.topic));
  return refused === undefined ? next() : because(refused);
}

/** The subscription, where the caller may read it and, for anything but a query, change it. */
export function mine({ state, needs, envelope, definition }: Context, id: string): SubscriptionRow | undefined {
  const row = state.get(subscriptionTable, id);
  if (row === undefined) return undefined;
  // An id stands in no namespace, but the topic's name does.
  if (!needs.authority.reads(nameIn(row.topic))) return undefined;
  // Following counts as a change, because it moves the cursor.
  const changes = definition.kind !== "query";
  const may = !changes || row.principal === envelope.principal || needs.authority.writes(nameIn(row.topic));
  return may ? row : undefined;
}

function topicUnknown(context: Context, topic: string) {
  const { state, needs } = context;
  if (isPattern(topic) || isHere(state, needs.actions, topic) || isElsewhere(state, topic)) return undefined;
  return because(unknownTopic(topic, readable(context)));
}

function* readable({ state, needs, envelope, definition }: Context): Iterable<string> {
  const { authority, actions } = needs;
  for (const [name] of state.rows(actions)) if (authority.reads(name)) yield topicOf(name);
  // The nearest name was looked for in `prepare`: reading the session table here would record every row of it.
  const near = envelope.facts[NEAR] as string | undefined;
  const others = definition.kind !== "command" ? someElsewhere(state) : near === undefined ? [] : [near];
  for (const topic of others) if (authority.reads(nameIn(topic))) yield topic;
}

function holder({ principal, grant, may }: PluginContext["envelope"]) {
  return { principal, grant, ...(may === undefined ? {} : { may }) };
}

function because({ code, message, details }: Fault) {
  return refuse(code, message, { details });
}

export function unknown(id: string) {
  return refuse("SUBSCRIPTION_UNKNOWN", `there is no subscription ${id}; subscription.list names them`);
}
