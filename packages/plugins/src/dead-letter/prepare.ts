// What a letter says, read from the entry of the message that added it.

import { type DecodedEntry, type Envelope, entryOf, type Facts, type Reader, siblingId } from "@capstan/orchestrator";
import { type DeadLetter, LETTER } from "./schema.ts";

export interface WrittenLetter {
  readonly entry: DecodedEntry;
  /** `undefined` where it was erased. */
  readonly letter: DeadLetter | undefined;
}

/** The letter of this id, open or not; `undefined` where the log has none. */
export async function writtenLetter(reader: Reader, id: string): Promise<WrittenLetter | undefined> {
  const entry = await entryOf(reader, siblingId(id, "m"));
  if (entry?.header.message !== "deadLetter.add" || entry.header.verdict !== "done") return undefined;
  const body = (await reader.part(entry, "b")) as { readonly data: DeadLetter } | undefined;
  return { entry, letter: body?.data };
}

/** The fact `deadLetter.letter`: the message that tries it again. None where that was erased. */
export async function letterOf(envelope: Envelope, reader: Reader): Promise<Facts> {
  const { id } = envelope.message.data as { id: string };
  const written = await writtenLetter(reader, id);
  return written?.letter === undefined ? {} : { [LETTER]: written.letter.redrive };
}
