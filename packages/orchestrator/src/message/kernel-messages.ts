// The kernel's own messages: what can be asked of any node, whatever its plugins, and the internal ones of its start.

import { z } from "zod";
import { command, query } from "./definition.ts";

const idSchema = z.string().min(1).max(80);

export const kernelMessages = {
  message: {
    attach: query({
      summary: "Wait for what comes of a message that was answered pending.",
      data: z.strictObject({ id: idSchema }),
      result: z.unknown(),
      about: "id",
      target: ({ id }) => id,
    }),
    settle: command({
      summary: "Give a held message the outcome that it waits for; it is then decided again.",
      data: z.strictObject({ id: idSchema, hold: z.string().min(1).max(80), outcome: z.unknown() }),
      result: z.object({ id: idSchema }),
      about: "id",
      target: ({ id }) => id,
    }),
    list: query({
      summary: "List every message that can be sent, with its schema.",
      data: z.strictObject({}),
      result: z.array(
        z.object({ name: z.string(), kind: z.string(), summary: z.string(), plugin: z.string(), data: z.unknown() }),
      ),
    }),
  },
  node: {
    expire: command({
      internal: true,
      summary: "Take over what an epoch that is over still owes.",
      data: z.strictObject({ node: idSchema, epoch: z.number().int(), to: z.number().int() }),
      result: z.object({ left: z.number().int() }),
    }),
  },
  pipeline: {
    adopt: command({
      internal: true,
      summary: "Decide by this composition from here on.",
      data: z.strictObject({ digest: z.string(), plugins: z.array(z.unknown()), entry: z.number().int() }),
      result: z.unknown(),
    }),
  },
};

export type KernelMessages = typeof kernelMessages;
