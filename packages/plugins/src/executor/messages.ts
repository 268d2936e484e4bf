// What the executor can be asked, and what its own outcomes come back as: performing, executions, protocols.

import { addressed, command, nameSchema, query } from "@capstan/orchestrator";
import { z } from "zod";
import { addressFields } from "../registry/destination.ts";

const executionId = z.string().regex(/^x-[0-9A-HJKMNP-TV-Z]{16}$/, "must be an execution's id, like x-01J8…");
const reference = z.strictObject({ id: executionId });
/** Whoever performed what is held was told of the message alone. */
const executionOrMessageId = z
  .string()
  .regex(/^[xm]-[0-9A-HJKMNP-TV-Z]{16}$/, "must be an execution's id, like x-01J8…, or its message's, m-01J8…");
/** Neighbours. */
const nodes = z.array(z.string()).max(10_000);
const protocolName = z.string().min(1).max(64);
const byId = { about: "id" as const, target: ({ id }: { readonly id: string }): string => id };

export const performed = z.object({
  execution: z.string(),
  output: z.unknown().optional(),
  via: z.string().optional().describe("the peer that answered, where the action is not here"),
  pending: z.boolean().optional(),
});

const shownFault = z.object({
  ...{ code: z.string(), message: z.string() },
  ...{ details: z.unknown().optional(), id: z.string().optional() },
});
const shownExecution = z.object({
  ...{ id: z.string(), action: z.string(), state: z.enum(["running", "ambiguous", "done", "failed"]) },
  ...{ principal: z.string(), at: z.number(), message: z.string() },
  entries: z.array(z.number()).describe("those that accepted it and settled it"),
  ...{ attempt: z.number().optional(), output: z.unknown().optional(), error: shownFault.optional() },
  untold: z
    .array(z.string())
    .optional()
    .describe("nodes that may still see to what was cancelled, and are told as soon as they can be"),
});

export const executorMessages = {
  action: {
    perform: addressed(
      command({
        summary: "Perform an action, and wait for its output.",
        data: z.strictObject({
          name: nameSchema,
          input: z.unknown().optional(),
          // Who gets the output: the caller and the subscribers, the subscribers only, or the caller only.
          publication: z.enum(["with", "only", "none"]).optional(),
          ...addressFields,
        }),
        result: performed,
        target: ({ name }) => name,
      }),
    ),
    recall: command({
      summary: "Cancel what was performed under a key, if it still runs or is held. Whoever performed it may.",
      data: z.strictObject({
        name: nameSchema,
        under: z.string().min(1).max(200).describe("the key"),
        request: z.string().length(22).optional().describe("(peers) what it was asked for, by whichever way it came"),
      }),
      result: z.object({ recalled: z.boolean() }),
      target: ({ name }) => name,
    }),
  },
  execution: {
    list: query({
      summary: "List executions, newest first.",
      data: z.strictObject({
        action: nameSchema.optional(),
        state: z.enum(["running", "ambiguous", "done", "failed"]).optional(),
        // An execution's id, or a page's `next`.
        before: executionId.optional(),
        limit: z.number().int().min(1).max(1000).optional(),
      }),
      result: z.object({ items: z.array(shownExecution), next: z.string().optional() }),
    }),
    show: query({ summary: "Show an execution, with its entries.", data: reference, result: shownExecution, ...byId }),
    cancel: command({
      summary:
        "Cancel an execution that is running, or that a peer may still be running; or end the hold of a performing, or of a retry.",
      data: z.strictObject({ id: executionOrMessageId }),
      result: performed,
      ...byId,
    }),
    retry: command({
      summary: "Try an execution again that failed, or of which nobody knows whether it ran.",
      data: reference,
      result: performed,
      ...byId,
    }),
    abandon: command({
      summary: "Give up an execution of which nobody knows whether it ran.",
      data: reference,
      result: z.object({ execution: z.string() }),
      ...byId,
    }),
    ask: command({
      internal: true,
      summary: "An execution is about to be asked of another neighbour than it was decided for.",
      data: z.strictObject({
        ...{ execution: executionId, effect: z.string(), to: z.string() },
        ...{ origin: z.string().optional(), repeatable: z.enum(["idempotent", "read-only"]).optional() },
        digest: z.string().optional(),
        ...{ open: nodes.optional(), key: z.string().optional() },
      }),
      result: z.unknown(),
    }),
    recalled: command({
      internal: true,
      summary: "A neighbour that was asked for what was cancelled was told; or it is too late to tell anybody.",
      data: z.strictObject({ execution: executionId, node: z.string().optional() }),
      result: z.unknown(),
    }),
    again: command({
      internal: true,
      summary: "What became of an execution elsewhere is not known, and is asked again.",
      data: z.strictObject({ execution: executionId }),
      result: z.unknown(),
    }),
    unresolved: command({
      internal: true,
      summary: "Nobody has been able to say what became of executions elsewhere, and somebody should look at that.",
      data: z.strictObject({
        executions: z.array(executionId).min(1).max(1000),
        about: z.string().min(1).max(200),
        text: z.string().max(1000),
      }),
      result: z.unknown(),
    }),
    complete: command({
      internal: true,
      summary: "An execution ended with an output.",
      data: z.strictObject({ execution: executionId, output: z.unknown().optional(), via: z.string().optional() }),
      result: z.unknown(),
    }),
    fail: command({
      internal: true,
      summary: "An execution ended with a fault.",
      data: z.strictObject({
        execution: executionId,
        error: shownFault,
        retryable: z.boolean(),
        // Whose fault it was, where that is not in its details; and which message of theirs.
        peer: z.strictObject({ name: z.string(), node: z.string(), id: z.string().optional() }).optional(),
      }),
      result: z.unknown(),
    }),
    lose: command({
      internal: true,
      summary: "Nobody can know whether an execution ran: its node died, or the way to where it was asked broke.",
      data: z.strictObject({ execution: executionId, error: shownFault.optional(), open: nodes.optional() }),
      result: z.unknown(),
    }),
  },
  // They tell of what the node is made of, and are about no name in a namespace.
  protocol: {
    list: query({
      summary: "List the protocols that actions and receivers can be registered with.",
      data: z.strictObject({}),
      result: z.object({ items: z.array(z.object({ name: z.string(), summary: z.string().optional() })) }),
    }),
    describe: query({
      summary: "Tell what a protocol is configured with, as a JSON Schema.",
      data: z.strictObject({ name: protocolName }),
      result: z.object({ name: z.string(), summary: z.string().optional(), configuration: z.unknown() }),
      target: ({ name }) => name,
      about: "id",
    }),
    test: query({
      summary: "Check a configuration, and whether the outside system answers; nothing is registered.",
      data: z.strictObject({ protocol: protocolName, configuration: z.record(z.string(), z.unknown()).optional() }),
      result: z.object({ ok: z.literal(true), connected: z.boolean() }),
      target: ({ protocol }) => protocol,
      about: "id",
    }),
  },
};
