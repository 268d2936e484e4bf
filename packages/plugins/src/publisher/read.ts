// Publications by pages: after a cursor, as far as the caller may read, and waited for where there are none yet. Who reads so
// acknowledges for themselves, and nothing is kept for them.

import { type Authority, type Envelope, type Fault, FaultError, type Reader } from "@capstan/orchestrator";
import { cursorAt, goneBefore } from "./cursor.ts";
import type { Deliveries } from "./delivery/deliveries.ts";
import { History } from "./history.ts";
import { entryFrom } from "./prepare.ts";
import type { Publication } from "./publication.ts";
import { readPage } from "./read-page.ts";
import { cursorTable, subscriptionTable } from "./schema.ts";
import { isPattern, nameIn } from "./topic.ts";

const PAGE = 100;

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
  // Who looks once at all that there is does not have it fetched from other nodes.
  if (topic !== undefined && (wait > 0 || !isPattern(topic))) deliveries?.wanted.passes(topic, envelope);
  let may = authority;
  const until = (deliveries?.runtime.now() ?? 0) + wait;
  // One's own durable cursor, or now.
  const from = after === undefined && id !== undefined ? (reader.get(cursorTable, id) ?? head()) : (asked ?? head());
  const { items, to } = await readPage(from, {
    ...{ history, topic: of, limit, head },
    gone: (entry) => goneBefore(entry, reader),
    wanted: (one) => may.reads(nameIn(one.topic)),
    turn: (work) => (deliveries === undefined ? Promise.resolve(work()) : deliveries.reads.turn(work)),
    left: () => until - (deliveries?.runtime.now() ?? 0),
    ...(deliveries === undefined
      ? {}
      : {
          wait: async (at, ms) => {
            const reached = await deliveries.readers.published(of, at, ms, deliveries.stopping);
            // It was let in a while ago.
            const still = deliveries.readers.authority(of, mine === undefined ? [envelope] : [mine, envelope]);
            if ("code" in still) throw new FaultError(still as Fault);
            may = still.at(-1) as Authority;
            return reached;
          },
        }),
  });
  const { proofs } = reader;
  const place = { next: cursorAt(to, proofs), head: cursorAt(head(), proofs) };
  return { items: items.map(({ publication }) => publication), ...place };
}
