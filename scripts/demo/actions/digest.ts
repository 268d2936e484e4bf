// `digest`: many classified events as the few figures that somebody would read in the morning.

import { defineAction } from "@capstan/plugins";
import { z } from "zod";
import { classification } from "./classification.ts";

export default defineAction({
  input: z.strictObject({ events: z.array(classification).min(1).max(1000) }),
  output: z.strictObject({
    events: z.number().int(),
    kinds: z.number().int(),
    repositories: z.number().int(),
    private: z.number().int(),
    /** Who did most; of equals, the first by name. */
    busiest: z.strictObject({ actor: z.string(), events: z.number().int() }),
  }),
  idempotent: true,
  readOnly: true,
  run({ events }) {
    const byActor = new Map<string, number>();
    for (const { actor } of events) byActor.set(actor, (byActor.get(actor) ?? 0) + 1);
    const [[actor, most]] = [...byActor].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)) as [[string, number]];
    return {
      events: events.length,
      kinds: new Set(events.map(({ kind }) => kind)).size,
      repositories: new Set(events.flatMap(({ repository }) => repository ?? [])).size,
      private: events.filter((event) => event.private).length,
      busiest: { actor, events: most },
    };
  },
});
