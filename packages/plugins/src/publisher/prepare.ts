// What the publisher has to know before a decision: where in the log a cursor stands, and what a receiver's protocol says of it.

import {
  type Envelope,
  type Facts,
  type Fault,
  FaultError,
  fault,
  type Reader,
  type Table,
} from "@capstan/orchestrator";
import { inspectTask } from "../executor/prepare.ts";
import type { Protocols } from "../executor/protocols.ts";
import { entryOfCursor } from "./cursor.ts";
import { isElsewhere, someElsewhere } from "./elsewhere/topics.ts";
import { publishedBy } from "./publication.ts";
import { FROM, type From, NEAR, PUBLISHED, receiverTable } from "./schema.ts";
import { isHere, isPattern, nearestTopic } from "./topic.ts";

/** The entry after which one begins that says `from`; `undefined` for now. */
export function entryFrom(from: string, reader: Reader): number | undefined | Fault {
  if (from === "now") return undefined;
  return from === "start" ? reader.first - 1 : entryOfCursor(from, reader, "`start`, `now`, or ");
}

/** The fact `subscription.from`: a `From`, or the fault that it is refused with. */
export async function startOf(envelope: Envelope, reader: Reader): Promise<Facts> {
  const { from, cursor } = envelope.message.data as { readonly from?: string; readonly cursor?: string };
  const entry = entryFrom(cursor ?? from ?? "now", reader);
  if (typeof entry === "object") return { [FROM]: { fault: entry } };
  const { log, restorations } = reader.proofs;
  const restored = restorations.map(({ epoch, size }) => ({ epoch, size }));
  const found: From = {
    log,
    ...(restored.length === 0 ? {} : { restorations: restored }),
    ...(entry === undefined ? {} : { entry }),
  };
  return { [FROM]: found };
}

/** Where a new subscription begins, and which topic elsewhere was meant by one that is nowhere. */
export async function newSubscription(actions: Table | undefined, envelope: Envelope, reader: Reader): Promise<Facts> {
  const { topic } = envelope.message.data as { readonly topic: string };
  const facts = await startOf(envelope, reader);
  if (actions === undefined || isPattern(topic)) return facts;
  if (isHere(reader, actions, topic) || isElsewhere(reader, topic)) return facts;
  const near = nearestTopic(topic, someElsewhere(reader));
  return near === undefined ? facts : { ...facts, [NEAR]: near };
}

/** The fact `action.inspected`, of a receiver. */
export async function inspectReceiver(
  known: Protocols | undefined,
  envelope: Envelope,
  reader: Reader,
): Promise<Facts> {
  if (known === undefined) throw new FaultError(fault("LOG_UNAVAILABLE", "this node only reads"));
  const asked = envelope.message.data as Parameters<typeof inspectTask>[1];
  return inspectTask(known, asked, reader.get(receiverTable, asked.name), reader.node);
}

/** The fact `subscription.published`: the message that the entry published; none where it published nothing. */
export async function publishedIn(envelope: Envelope, reader: Reader): Promise<Facts> {
  const { entry } = envelope.message.data as { readonly entry: number };
  const [stored] = await reader.entries(entry, { limit: 1 });
  const [one] = stored?.seq === entry ? await publishedBy(stored, reader) : [];
  return one === undefined ? {} : { [PUBLISHED]: one.message };
}
