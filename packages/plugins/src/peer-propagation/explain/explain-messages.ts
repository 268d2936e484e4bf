// What became of a message beyond this node, as it is asked: by users here of what was asked of others, by peers of what they asked
// of us.

import { type FaultTable, query } from "@capstan/orchestrator";
import { z } from "zod";
import { DISCLOSURES } from "../schema.ts";
import { STATES } from "./account.ts";

/** Of the first who asks, in milliseconds. */
export const PATIENCE_MS = 10_000;

export const explainMessages = {
  explain: query({
    summary: "Tell what peers say became of a message that they were asked to carry out, and whom they asked in turn.",
    data: z.strictObject({
      id: z.string().min(1).max(80).optional().describe("the message, like m-01J8…"),
      key: z.string().min(1).max(200).optional().describe("(peers) the key that it was asked by"),
      patience: z.number().int().min(1).max(PATIENCE_MS).optional().describe("milliseconds to wait for peers"),
    }),
    result: z.object({
      disclosed: z.enum(DISCLOSURES).optional().describe("(peers) how much this node tells"),
      id: z.string().optional(),
      state: z.enum(STATES).optional(),
      code: z.string().optional(),
      plugin: z.string().optional(),
      text: z.string().optional(),
      plugins: z.array(z.object({ plugin: z.string(), verdict: z.string(), clause: z.string().optional() })).optional(),
      peers: z.array(z.unknown()).optional().describe("{ name, node, said | silent } of each that was asked"),
    }),
    about: "id",
  }),
};

export const explainFaults = {
  EXPLAINS_EXCEEDED: {
    status: 429,
    retryable: true,
    text: "The peer sends `peer.explain` more often than one peer may; ask again later.",
  },
} as const satisfies FaultTable;
