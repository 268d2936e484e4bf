// What `node.metrics` answers: the node's numbers as plain JSON, for whoever polls them. Counters are since the process began;
// units are base units: seconds, bytes, entries.

import { z } from "zod";

const count = z.number();

export const metricsSchema = z.object({
  /** Milliseconds since the epoch: two answers and their times make rates. */
  at: z.number(),
  node: z.object({ id: z.string(), name: z.string(), version: z.string(), bun: z.string(), uptime: count }),
  messages: z.array(z.object({ name: z.string(), kind: z.string(), verdicts: z.record(z.string(), count) })),
  decisions: z.object({ count, seconds: count, p50: count, p99: count }),
  effects: z.object({
    running: count,
    waiting: count,
    kinds: z.array(
      z.object({
        plugin: z.string(),
        kind: z.string(),
        outcomes: z.record(z.string(), count),
        count,
        seconds: count,
        p99: count,
      }),
    ),
  }),
  sessions: z.object({ open: count, opened: count, breaches: count, refusedCredentials: count }),
  log: z.object({
    head: count,
    durable: count,
    first: count,
    undone: count,
    groups: count,
    entries: count,
    appendSeconds: count,
    appendP99: count,
    bytes: count,
    walBytes: count,
    damaged: z.boolean(),
  }),
  process: z.object({
    cpu: count,
    rss: count,
    heap: count,
    loopDelayP50: count,
    loopDelayP99: count,
    loopDelayMax: count,
  }),
});

/** What `node.metrics` answers. */
export type NodeMetrics = z.output<typeof metricsSchema>;
