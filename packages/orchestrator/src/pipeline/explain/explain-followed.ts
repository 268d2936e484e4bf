// What followed from a message in its own commit: its entries stand right behind it, each with the entries that followed from
// it in turn (follow-ups.ts). How many there are stands in the traces, so that an outcome that came next is not taken for one.

import type { Fault } from "../../fault/fault.ts";
import { type DecodedEntry, decodeEntry } from "../../log/entry.ts";
import type { StoredEntry } from "../../log/log.ts";
import type { Reader } from "../../plugin/reader.ts";
import { MOST_FOLLOW_UPS } from "../follow-ups.ts";
import { outcomeOf } from "../outcomes.ts";
import { type ErasedPart, partsOf } from "./explain-parts.ts";

export interface FollowedExplanation {
  readonly entry: number;
  readonly id: string;
  readonly message: string;
  readonly principal: string;
  readonly verdict: string;
  readonly error?: Fault;
  /** What it answered: an id, say, under which it is known from then on. */
  readonly answer?: unknown;
  /** Where it waits, or waited, for something: how that ended. */
  readonly outcome?: {
    readonly state: "pending" | "done" | "failed";
    readonly entry?: number;
    readonly data?: unknown;
  };
  readonly erased?: readonly ErasedPart[];
}

/** Looking for an outcome reads on in the log: of so many at most. */
const MOST_OUTCOMES = 16;
const PAGE = 8;

export async function followedBy(
  reader: Reader,
  { seq, header }: DecodedEntry,
  led: number | undefined,
): Promise<readonly FollowedExplanation[]> {
  if (led === undefined) return [];
  const followed: FollowedExplanation[] = [];
  let page: readonly StoredEntry[] = [];
  let at = 0;
  let next = seq + 1;
  let outcomes = 0;

  async function peek(): Promise<DecodedEntry | undefined> {
    if (at === page.length) {
      page = await reader.entries(next, { limit: PAGE * Math.max(1, page.length) });
      at = 0;
      next += page.length;
    }
    const stored = page[at];
    return stored === undefined ? undefined : decodeEntry(stored);
  }

  async function take(parent: string, count: number): Promise<void> {
    for (let i = 0; i < count && followed.length <= MOST_FOLLOW_UPS; i++) {
      const entry = await peek();
      // Refusals may be counted instead of recorded: there are fewer then.
      if (entry === undefined || entry.header.cause !== parent) return;
      at++;
      const { trace, erased } = await partsOf(reader, entry);
      const outcome = trace?.pending && outcomes++ < MOST_OUTCOMES ? await outcomeTold(reader, entry) : undefined;
      const { id, message, principal, verdict } = entry.header;
      followed.push({
        ...{ entry: entry.seq, id, message, principal, verdict },
        ...(trace?.error === undefined ? {} : { error: trace.error }),
        ...(trace?.data === undefined ? {} : { answer: trace.data }),
        ...(outcome === undefined ? {} : { outcome }),
        ...(erased.length === 0 ? {} : { erased }),
      });
      await take(id, trace?.led ?? 0);
    }
  }

  await take(header.id, led);
  return followed;
}

async function outcomeTold(reader: Reader, entry: DecodedEntry): Promise<FollowedExplanation["outcome"]> {
  const found = await outcomeOf(reader, entry);
  if (found === undefined) return { state: "pending" };
  const { outcome, seq } = found;
  return { state: outcome.kind, entry: seq, ...(outcome.kind === "done" ? { data: outcome.data } : {}) };
}
