// The fifth plugin of the measured pipeline: it passes every message and has one query, which answers with what it was
// given. Beside it the protocol of the performed action: idempotent, synchronous, no work.

import { authority, definePlugin, next, query } from "@capstan/orchestrator";
import type { Protocol } from "@capstan/plugins";
import { z } from "zod";

const order = z.strictObject({
  number: z.number().int(),
  item: z.string().max(100),
  tags: z.array(z.string().max(20)).max(10),
});

export function bench() {
  return definePlugin({
    name: "bench",
    version: "1",
    needs: [authority],
    messages: { echo: { get: query({ summary: "Answer with what is given.", data: order, result: order }) } },
    decide: () => next(),
    answer: { "echo.get": ({ message }) => message.data },
  });
}

export const echoProtocol: Protocol = { name: "echo", configSchema: z.object({}), execute: ({ input }) => input };

/** The action that is performed: the same order, checked by a JSON Schema. */
export const echoAction = { name: "echo", protocol: "echo", idempotent: true, input: z.toJSONSchema(order) };
