// Publications by pages: after a cursor, as far as the caller may read, and waited for where there are none yet. Who reads so
// acknowledges for themselves, and nothing is kept for them.

import { type Authority, type Envelope, type Fault, FaultError, type Reader } from "@capstan/orchestrator";
import { cursorAt, goneBefore } from "./cursor.ts";
import type { Deliveries } from "./deliveries.ts";
import { History } from "./history.ts";
import { entryFrom } from "./prepare.ts";
import type { Publication, Published } from "./publication.ts";
import { cursorTable, MOST_AT_ONCE, subscriptionTable } from "./schema.ts";
import { nameIn } from "./topic.ts";

const PAGE = 100;
/** UTF-16 code units of a page, but for its first publication. */
const MOST_IN_A_PAGE = 1024 * 1024;
/** Pages of the log that one answer looks through before it says how far it came. */
const MOST_SCANS = 80;

interface Asked {
  readonly id?: string;
  readonly topic?: string;
  readonly after?: string;
  readonly limit?: number;
  readonly wait?: number;
}

export async function answerRead(
  envelope: Envelope,
  reader: Reader,
  authority: Authority,
  deliveries: Deliveries | undefined,
): Promise<{ readonly items: readonly Publication[]; readonly next: string; readonly head: string }> {
  const { id, topic, after, limit = PAGE, wait = 0 } = envelope.message.data as Asked;
  const head = (): number => deliveries?.runtime.durable ?? reader.revision;
  const history = deliveries?.history ?? new History({ reader, durable: head, isTurn: () => false });
  const mine = id === undefined ? undefined : reader.get(subscriptionTable, id);
  const of = topic ?? mine?.topic ?? "";
  const asked = after === undefined ? undefined : entryFrom(after, reader);
  if (typeof asked === "object") throw new FaultError(asked);
  let may = authority;
  const wanted = (one: Published): boolean => may.reads(nameIn(one.topic));
  // One's own durable cursor, or now.
  let at = after === undefined && id !== undefined ? (reader.get(cursorTable, id) ?? head()) : (asked ?? head());
  const until = (deliveries?.runtime.now() ?? 0) + wait;
  for (let scans = 1; ; ) {
    const gone = goneBefore(at, reader);
    if (gone !== undefined) throw new FaultError(gone);
    const { items, to } = await history.scan(at, of, wanted, Math.min(limit, MOST_AT_ONCE), MOST_IN_A_PAGE);
    at = Math.max(at, to);
    const left = until - (deliveries?.runtime.now() ?? 0);
    if (items.length > 0 || (at >= head() && left <= 0) || scans >= MOST_SCANS) {
      const { log } = reader.proofs;
      const publications = items.map(({ publication }) => publication);
      return { items: publications, next: cursorAt(at, log), head: cursorAt(head(), log) };
    }
    if (at < head() || deliveries === undefined) {
      // Each scan took its time of the loop: let others have theirs.
      scans++;
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    at = await deliveries.lines.published(of, at, left, deliveries.stopping);
    // It was let in a while ago.
    const still = deliveries.lines.authority(of, mine === undefined ? [envelope] : [mine, envelope]);
    if ("code" in still) throw new FaultError(still as Fault);
    may = still.at(-1) as Authority;
  }
}
