// Receivers, subscriptions and publications as they are shown, and callbacks as they begin to follow.

import { type Authority, type Envelope, FaultError, fault, type Reader } from "@capstan/orchestrator";
import { deadLetters } from "../dead-letter/schema.ts";
import { cursorAt, goneBefore } from "./cursor.ts";
import { unknownReceiver } from "./decide-receiver.ts";
import type { Deliveries } from "./delivery/deliveries.ts";
import type { Topics } from "./elsewhere/topics.ts";
import { entryFrom } from "./prepare.ts";
import { answerRead } from "./read.ts";
import { cursorTable, DELIVERY, receiverTable, type SubscriptionRow, subscriptionTable } from "./schema.ts";
import { nameIn } from "./topic.ts";
import { topicsElsewhere } from "./topics-elsewhere.ts";

const PAGE = 100;

interface Filter {
  readonly topic?: string;
  readonly receiver?: string;
  readonly after?: string;
  readonly limit?: number;
}

/** @param running answers the deliveries; `undefined` on a log that is only read */
export function answers(running: () => Deliveries | undefined, carriers: Topics["carriers"]) {
  return {
    "receiver.list": listReceivers,
    "receiver.show": showReceiver,
    "subscription.list": (envelope: Envelope, reader: Reader, authority: Authority) =>
      listSubscriptions(envelope, reader, authority, running()),
    "subscription.show": (envelope: Envelope, reader: Reader, authority: Authority) => {
      const { id } = envelope.message.data as { id: string };
      const row = reader.get(subscriptionTable, id);
      if (row === undefined) throw new FaultError(fault("SUBSCRIPTION_UNKNOWN", `there is no subscription ${id}`));
      const deliveries = running();
      const elsewhere = topicsElsewhere(row.topic, reader, authority, { deliveries, carriers });
      return { ...shown(id, row, reader, deliveries), ...(elsewhere === undefined ? {} : { elsewhere }) };
    },
    "subscription.read": (envelope: Envelope, reader: Reader, authority: Authority) =>
      answerRead(envelope, reader, authority, running()),
    "subscription.follow": (envelope: Envelope, reader: Reader) => follow(envelope, reader, running()),
  };
}

function listReceivers(envelope: Envelope, reader: Reader, authority: Authority) {
  const { after, limit = PAGE } = envelope.message.data as Filter;
  const names = [...reader.rows(receiverTable)]
    .map(([name]) => name)
    .filter((name) => (after === undefined || name > after) && authority.reads(name))
    .sort();
  const items = names.slice(0, limit).flatMap((name) => {
    const row = reader.get(receiverTable, name);
    return row === undefined ? [] : [{ name, revision: row.revision, protocol: row.protocol, may: [...row.may] }];
  });
  return { items, ...(names.length > limit ? { next: names[limit - 1] as string } : {}) };
}

function showReceiver(envelope: Envelope, reader: Reader, authority: Authority) {
  const { name } = envelope.message.data as { name: string };
  const row = reader.get(receiverTable, name);
  if (row === undefined) {
    const known = [...reader.rows(receiverTable)].map(([one]) => one).filter((one) => authority.reads(one));
    throw new FaultError(unknownReceiver(name, known));
  }
  const subscriptions: string[] = [];
  for (const [id, { receiver }] of reader.rows(subscriptionTable)) if (receiver === name) subscriptions.push(id);
  // A copy, because the row is part of the state.
  return { ...structuredClone(row), subscriptions: subscriptions.sort() };
}

function listSubscriptions(
  envelope: Envelope,
  reader: Reader,
  authority: Authority,
  deliveries: Deliveries | undefined,
) {
  const { topic, receiver, after, limit = PAGE } = envelope.message.data as Filter;
  const ids: string[] = [];
  for (const [id, row] of reader.rows(subscriptionTable)) {
    if (topic !== undefined && row.topic !== topic) continue;
    if (receiver !== undefined && row.receiver !== receiver) continue;
    if ((after === undefined || id > after) && authority.reads(nameIn(row.topic))) ids.push(id);
  }
  ids.sort();
  const items = ids
    .slice(0, limit)
    .map((id) => shown(id, reader.get(subscriptionTable, id) as SubscriptionRow, reader, deliveries));
  return { items, ...(ids.length > limit ? { next: ids[limit - 1] as string } : {}) };
}

function shown(id: string, row: SubscriptionRow, reader: Reader, deliveries: Deliveries | undefined) {
  const { topic, receiver, name, principal, grant, at } = row;
  const progress = deliveries?.progress(id);
  const entry = progress?.entry ?? reader.get(cursorTable, id) ?? 0;
  const why = progress?.stopped ?? deliveries?.readers.whyNot(row, entry) ?? goneBefore(entry, reader);
  const { left, failing } = progress ?? {};
  return {
    ...{ id, topic, principal, grant, at },
    ...(receiver === undefined ? {} : { receiver }),
    ...(name === undefined ? {} : { name }),
    cursor: cursorAt(entry, reader.proofs),
    // Entries that it has not looked at yet, of all topics.
    lag: Math.max(0, (deliveries?.runtime.durable ?? reader.revision) - entry),
    state: why === undefined ? ("active" as const) : ("stopped" as const),
    ...(why === undefined ? {} : { why }),
    ...(receiver === undefined ? { followed: progress?.followed ?? false } : {}),
    ...(left === undefined ? {} : { left }),
    ...(failing === undefined ? {} : { failing }),
    // Shown, because a receiver that fails on everything counts as active and up to date.
    ...(receiver === undefined || deliveries === undefined
      ? {}
      : { deadLetters: deliveries.runtime.given(deadLetters).count(reader, DELIVERY, id) }),
  };
}

function follow(envelope: Envelope, reader: Reader, deliveries: Deliveries | undefined) {
  const { id, topic, from, callback } = envelope.message.data as {
    id?: string;
    topic?: string;
    from?: string;
    callback: string;
  };
  if (deliveries === undefined)
    throw new FaultError(fault("LIVE_UNAVAILABLE", "the log is only read: nothing is delivered"));
  const { principal, grant, may } = envelope;
  const as = { principal, grant, ...(may === undefined ? {} : { may }) };
  if (id !== undefined) {
    const { name, entry } = deliveries.follow(id, as, callback);
    return { follower: name, cursor: cursorAt(entry, reader.proofs) };
  }
  const entry = entryFrom(from ?? "now", reader) ?? deliveries.runtime.durable;
  if (typeof entry === "object") throw new FaultError(entry);
  const follower = deliveries.followers.topic(topic as string, entry, as, callback);
  return { follower, cursor: cursorAt(entry, reader.proofs) };
}
