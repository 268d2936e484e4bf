// The kernel's own messages: what can be asked of any node, whatever its plugins, and the internal ones of its start.

import { z } from "zod";
import { command, query } from "./definition.ts";
import { metricsSchema } from "./metrics-schema.ts";

const idSchema = z.string().min(1).max(80);

const entrySchema = z.number().int().positive();
const stopSchema = z.object({ entry: entrySchema, why: z.string() });

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
    fail: command({
      internal: true,
      summary: "What a message of the kernel's own owed could not be done.",
      data: z.strictObject({
        id: idSchema,
        error: z.object({
          code: z.string(),
          message: z.string(),
          details: z.unknown().optional(),
          id: z.string().optional(),
        }),
      }),
      result: z.unknown(),
    }),
    list: query({
      summary: "List every message that can be sent, with its schema.",
      data: z.strictObject({}),
      result: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(["command", "signal", "query"]),
          summary: z.string(),
          plugin: z.string(),
          data: z.record(z.string(), z.unknown()).describe("JSON Schema 2020-12 of the message's data"),
        }),
      ),
    }),
  },
  log: {
    compact: command({
      summary: "Forget old entries, as many as nothing needs any more. Every proof still holds.",
      data: z.strictObject({ before: entrySchema.optional(), olderThan: z.number().int().min(0).optional() }),
      result: z.object({ before: z.number().int(), first: z.number().int(), stoppedBy: stopSchema.optional() }),
    }),
    trimmed: command({
      internal: true,
      summary: "What a compaction was to forget is gone.",
      data: z.strictObject({ id: idSchema, before: entrySchema, first: entrySchema, stoppedBy: stopSchema.optional() }),
      result: z.unknown(),
    }),
    redact: command({
      numbered: true,
      summary: "Erase parts of an entry, for good. Every proof still holds.",
      data: z.strictObject({
        entry: entrySchema.optional(),
        id: idSchema.optional(),
        parts: z
          .array(z.enum(["body", "facts", "rows", "trace"]))
          .min(1)
          .max(4),
        reason: z.string().min(1).max(1000),
      }),
      result: z.object({ entry: z.number().int(), parts: z.array(z.string()), by: z.number().int() }),
    }),
    restored: command({
      internal: true,
      numbered: true,
      summary: "The log was restored from a backup.",
      data: z.strictObject({
        epoch: z.number().int(),
        size: z.number().int(),
        root: z.string(),
        at: z.number().int(),
      }),
      result: z.unknown(),
    }),
  },
  key: {
    rotate: command({
      summary: "Have another key sign for this node; the one before signs that it does.",
      data: z.strictObject({}),
      result: z.object({ node: z.string(), key: z.string(), entry: z.number().int() }),
    }),
    rotated: command({
      internal: true,
      numbered: true,
      summary: "A node's key was followed by another; both signed that.",
      data: z.strictObject({ id: idSchema, old: z.string(), new: z.string(), statement: z.string() }),
      result: z.unknown(),
    }),
  },
  node: {
    metrics: query({
      summary: "Tell what the node has counted and measured: messages, effects, sessions, its log and its process.",
      data: z.strictObject({}),
      result: metricsSchema,
    }),
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
      data: z.strictObject({
        digest: z.string(),
        plugins: z.array(z.unknown()),
        entry: z.number().int(),
        // The node's public key, in base64url: from here on it signs for the node.
        key: z.string().optional(),
        tables: z.array(z.string()).optional(),
      }),
      result: z.unknown(),
    }),
  },
};

export type KernelMessages = typeof kernelMessages;
