// What can be asked of the log. Everything here reads; nothing of it changes an entry.

import { type FaultTable, query } from "@capstan/orchestrator";
import { z } from "zod";

const entryNumber = z.number().int().positive();
const filters = {
  message: z.string().max(130).optional(),
  principal: z.string().max(200).optional(),
  verdict: z.enum(["done", "refused", "held"]).optional(),
  limit: z.number().int().min(1).max(1000).optional(),
};

export const listed = z.object({
  entry: entryNumber,
  id: z.string(),
  message: z.string(),
  principal: z.string(),
  grant: z.string(),
  at: z.number(),
  verdict: z.string(),
  cause: z.string().optional(),
});

export const ledgerMessages = {
  log: {
    list: query({
      summary: "List entries, newest first.",
      data: z.strictObject({ before: entryNumber.optional(), ...filters }),
      result: z.object({ items: z.array(listed), next: entryNumber.optional() }),
    }),
    show: query({
      summary: "Show an entry with its parts, by its number or its message's id.",
      data: z.strictObject({ entry: entryNumber.optional(), id: z.string().min(1).max(80).optional() }),
      result: z.unknown(),
    }),
    tail: query({
      summary: "Entries from a number on; waits for the next where there is none yet.",
      data: z.strictObject({
        from: z.number().int().min(1).optional(),
        ...filters,
        wait: z.number().int().min(0).max(60_000).optional(),
      }),
      result: z.object({ items: z.array(listed), next: entryNumber }),
    }),
    head: query({
      summary: "The last entry's number, and the node's.",
      data: z.strictObject({}),
      result: z.object({ entries: z.number(), node: z.string(), name: z.string() }),
    }),
    explain: query({
      summary: "Why a message was decided as it was: each plugin's verdict, and the clause that decided.",
      data: z.strictObject({ id: z.string().min(1).max(80) }),
      result: z.unknown(),
    }),
  },
};

export const ledgerFaults = {
  ENTRY_NOT_FOUND: { status: 404, retryable: false, text: "The log has no entry of that number." },
} as const satisfies FaultTable;
