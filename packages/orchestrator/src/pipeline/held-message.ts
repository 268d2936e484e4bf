// A message that is held, and one that no longer is: for those who would end its hold, or come too late for that.

import type { Envelope } from "../message/message.ts";
import type { Reader } from "../plugin/reader.ts";
import type { Hold } from "../plugin/result.ts";
import { holdTable } from "./kernel-tables.ts";
import { decidedAs, entryOf, settlingEntry } from "./outcomes.ts";
import type { Trace } from "./recorder.ts";

export interface HeldMessage {
  /** What `settles` ends its hold by: it was held once more, where this is not the id that it was asked for by. */
  readonly id: string;
  readonly hold: Hold;
  readonly envelope: Envelope;
}

/** @param id its own, or the one that it had when it was held before; `undefined` where it is held no more, or never was */
export async function heldMessage(reader: Reader, id: string): Promise<HeldMessage | undefined> {
  let last = id;
  let row = reader.get(holdTable, id);
  if (row === undefined) {
    last = await decidedAs(reader, id);
    row = reader.get(holdTable, last);
  }
  return row && { id: last, hold: row.hold, envelope: row.envelope };
}

export function* heldMessages(reader: Reader): Generator<HeldMessage> {
  for (const [id, { hold, envelope }] of reader.rows(holdTable)) yield { id, hold, envelope };
}

/** How a hold ended: a fact of the `message.settle` that comes too late. */
export interface EndedHold {
  /** The entry by which it ended, and that one's message. */
  readonly entry: number;
  readonly id: string;
  readonly message: string;
  readonly principal: string;
  /** It was settled, and decided again as that message; else its hold was ended with what became of it. */
  readonly again?: true;
}

/** What ended it a moment ago is read once it is durable. */
const LONGEST_WAIT_MS = 1000;

export async function endOfHold(reader: Reader, id: string): Promise<EndedHold | undefined> {
  await reader.durableAfter(reader.revision - 1, LONGEST_WAIT_MS);
  const entry = await entryOf(reader, id);
  const settling = entry?.header.verdict === "held" ? await settlingEntry(reader, entry) : undefined;
  if (settling === undefined) return undefined;
  const { header, seq } = settling;
  const trace = (await reader.part(settling, "t")) as Trace | undefined;
  return {
    ...{ entry: seq, id: header.id, message: header.message, principal: header.principal },
    ...(trace?.continues === id ? { again: true as const } : {}),
  };
}
