// The message by which peers read each other's topics: page by page, each request with a wait. The reader asks and nothing is pushed, so that a slow
// reader holds up only itself.

import { type FaultTable, query } from "@capstan/orchestrator";
import { z } from "zod";
import { placeOf } from "../../publisher/cursor.ts";
import { topicName } from "../../publisher/elsewhere/import-schema.ts";
import { namespaceIn } from "../../publisher/topic.ts";
import { nodeId } from "../names.ts";

/** The most publications of a page. */
export const MOST_IN_A_PAGE = 256;
/** The most UTF-16 code units of a page beyond its first publication. */
export const MOST_CHARACTERS = 1024 * 1024;
/** The longest wait of one request, in milliseconds. */
export const LONGEST_WAIT_MS = 60_000;

const cursor = z
  .string()
  .max(80)
  .refine((text) => placeOf(text) !== undefined, "must be a cursor, <entry>.<log>");

export const topicMessages = {
  topic: {
    read: query({
      summary: "(peers) Read publications of a topic after a cursor of its origin's log, and wait for them.",
      data: z.strictObject({
        topic: topicName,
        origin: nodeId.describe("the node that publishes, whose log the cursor is of"),
        after: cursor.optional().describe("absent: answer where it is now, and no publication"),
        limit: z.number().int().min(1).max(MOST_IN_A_PAGE),
        wait: z.number().int().min(0).max(LONGEST_WAIT_MS),
      }),
      result: z.object({ items: z.array(z.unknown()), next: z.string() }),
      target: (data) => data.topic,
      namespace: (data) => namespaceIn(data.topic),
    }),
  },
};

export const topicFaults = {
  TOPIC_UNREACHABLE: {
    status: 503,
    retryable: true,
    text: "No peer on a path to the topic can be asked now, or its answer is invalid; the text says which.",
  },
  TOPIC_READS_EXCEEDED: {
    status: 429,
    retryable: true,
    text: "The peer has as many open topic reads as one peer may; wait until some are answered.",
  },
} as const satisfies FaultTable;
