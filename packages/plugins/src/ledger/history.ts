// Where the log begins: what was compacted away is said to be gone, and not to have never been.

import { type Envelope, FaultError, fault, type Reader } from "@capstan/orchestrator";

/** @throws FaultError HISTORY_GONE where entries before the first that is kept are asked for */
export function checkKept(reader: Reader, from: number): void {
  const { first } = reader;
  if (from >= first) return;
  throw new FaultError(
    fault("HISTORY_GONE", `the log was compacted and keeps entries from ${first} on; entry ${from} is gone`, { first }),
  );
}

/** Asked for by number or by message. */
export interface Named {
  readonly entry?: number;
  readonly id?: string;
}

export function named(envelope: Envelope): Named {
  return envelope.message.data as Named;
}

/** The number of the entry that is asked for. @throws FaultError ENTRY_NOT_FOUND, HISTORY_GONE */
export async function numberOf(reader: Reader, { entry, id }: Named): Promise<number> {
  const seq = id === undefined ? entry : await reader.find(id);
  if (seq === undefined || seq > reader.revision) throw notFound(reader, { entry, id });
  checkKept(reader, seq);
  return seq;
}

export function notFound(
  reader: Reader,
  { entry, id }: { readonly entry?: number | undefined; readonly id?: string | undefined },
): FaultError {
  const what = id ?? entry;
  if (what === undefined) return new FaultError(fault("ENTRY_NOT_FOUND", "no entry was named; give entry or id"));
  const kept = reader.first > 1 ? `; the log was compacted and keeps entries from ${reader.first} on` : "";
  return new FaultError(fault("ENTRY_NOT_FOUND", `the log has no entry ${what}${kept}`));
}
