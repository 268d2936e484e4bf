// A topic of this node, read for another one: what was published here, after a cursor of this log. Nothing is kept for whoever reads.

import { FaultError, fault, printable } from "@capstan/orchestrator";
import { actions } from "../registry/schema.ts";
import { cursorAt, cursorSince, entryOfCursor, goneBefore } from "./cursor.ts";
import type { Deliveries } from "./delivery/deliveries.ts";
import type { FarPublication, TopicPage, TopicRead } from "./elsewhere/topics.ts";
import type { Published } from "./publication.ts";
import { readPage } from "./read-page.ts";
import type { RunQueue } from "./run-queue.ts";
import { actionIn, isHere, isPattern, unknownTopic } from "./topic.ts";

export async function serveTopic(
  deliveries: Deliveries,
  { topic, origin, after, limit, wait }: TopicRead,
  signal: AbortSignal,
  queue: RunQueue = deliveries.reads,
): Promise<TopicPage> {
  const { runtime, history, readers, stopping, fanOut } = deliveries;
  const { reader } = runtime;
  // What else is published than what actions give is nowhere listed.
  const known = actionIn(topic) === undefined || isHere(reader, runtime.given(actions), topic);
  if (isPattern(topic) || !known) throw new FaultError(unknownTopic(topic, []));
  if (origin !== reader.node.id) {
    const text = `${printable(topic)} of ${printable(origin)} is asked for, and this is ${reader.node.id}`;
    throw new FaultError(fault("CURSOR_FOREIGN", text));
  }
  if (after === undefined) return { items: [], next: cursorSince(runtime.durable, reader.proofs) };
  const from = entryOfCursor(after, reader);
  if (typeof from === "object") throw new FaultError(from);
  const until = runtime.now() + wait;
  const { items, to } = await readPage(from, {
    ...{ history, topic, limit },
    head: () => runtime.durable,
    gone: (entry) => goneBefore(entry, reader),
    wanted: ({ publication }) => publication.origin === undefined,
    turn: (work) => queue.turn(work),
    left: () => (signal.aborted ? Number.NEGATIVE_INFINITY : until - runtime.now()),
    wait: async (at, ms) => {
      const reached = await readers.published(topic, at, ms, AbortSignal.any([signal, stopping]));
      if (stopping.aborted) throw new FaultError(fault("STOPPING", "the node is shutting down; ask again later"));
      return reached;
    },
  });
  const roots = await Promise.all(items.map((one) => fanOut.rootOf(one)));
  return { items: items.map((one, i) => farOf(one, roots[i])), next: cursorAt(to, reader.proofs) };
}

function farOf({ publication, hops, traceparent }: Published, root: string | undefined): FarPublication {
  const { topic, cursor, id, at, data, action, principal, correlation } = publication;
  return {
    ...{ topic, cursor, id, at, data, hops },
    ...(action === undefined ? {} : { action }),
    ...(principal === undefined ? {} : { principal }),
    ...(correlation === undefined ? {} : { correlation }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(root === undefined ? {} : { root }),
  };
}
