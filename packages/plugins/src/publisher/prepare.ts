// What the publisher has to know before a decision: where in the log a cursor stands, and what a receiver's protocol says of it.

import { type Envelope, type Facts, type Fault, FaultError, fault, type Reader } from "@capstan/orchestrator";
import { inspectTask } from "../executor/prepare.ts";
import type { Protocols } from "../executor/protocols.ts";
import { entryOfCursor } from "./cursor.ts";
import { publishedBy } from "./publication.ts";
import { FROM, type From, PUBLISHED, receiverTable } from "./schema.ts";

/** The entry after which one begins that says `from`; `undefined` for now. */
export function entryFrom(from: string, reader: Reader): number | undefined | Fault {
  if (from === "now") return undefined;
  return from === "start" ? reader.first - 1 : entryOfCursor(from, reader);
}

/** The fact `subscription.from`: a `From`, or the fault that it is refused with. */
export async function startOf(envelope: Envelope, reader: Reader): Promise<Facts> {
  const { from, cursor } = envelope.message.data as { readonly from?: string; readonly cursor?: string };
  const entry = entryFrom(cursor ?? from ?? "now", reader);
  if (typeof entry === "object") return { [FROM]: { fault: entry } };
  const found: From = { log: reader.proofs.log, ...(entry === undefined ? {} : { entry }) };
  return { [FROM]: found };
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
  return one === undefined ? {} : { [PUBLISHED]: one.publication.id };
}
