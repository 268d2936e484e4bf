// What can be asked of the log. Everything here reads; nothing of it changes an entry.

import { type FaultTable, query, RECEIPT_FORMAT } from "@capstan/orchestrator";
import { z } from "zod";

const entryNumber = z.number().int().positive();
const size = z.number().int().nonnegative();
const filters = {
  message: z.string().max(130).optional(),
  principal: z.string().max(200).optional(),
  verdict: z.enum(["done", "refused", "held"]).optional(),
  limit: z.number().int().min(1).max(1000).optional(),
};

const named = { entry: entryNumber.optional(), id: z.string().min(1).max(80).optional() };
/** Base64. */
const hash = z.string();
const problem = z.object({ entry: entryNumber.optional(), code: z.string(), message: z.string() });

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

/** The header, and the parts that are there. */
const shownEntry = z.object({
  ...{ ...listed.shape, node: z.string() },
  ...{ body: z.unknown().optional(), facts: z.unknown().optional() },
  ...{ rows: z.unknown().optional(), trace: z.unknown().optional() },
  erased: z.record(z.string(), z.number()).optional().describe("the entry that erased each part that is gone"),
});
const shownFault = z.object({
  ...{ code: z.string(), message: z.string() },
  ...{ details: z.unknown().optional(), id: z.string().optional() },
});
const explained = z.object({
  ...{ id: z.string(), entry: entryNumber, message: z.string(), data: z.unknown().optional() },
  ...{ principal: z.string(), grant: z.string(), at: z.number(), verdict: z.string(), error: shownFault.optional() },
  plugins: z.array(
    z.object({
      plugin: z.string(),
      verdict: z.enum(["passed", "next", "done", "hold", "refused", "not reached", "erased"]),
      ...{ clause: z.string().optional(), wrote: z.number().optional(), publishes: z.string().optional() },
    }),
  ),
  cause: z.string().optional(),
  because: z.array(z.object({ id: z.string(), message: z.string(), principal: z.string() })),
  ...{ hold: z.unknown().optional(), followed: z.array(z.unknown()).optional() },
  ...{ attempts: z.array(z.unknown()).optional(), retries: z.array(z.unknown()).optional() },
  running: z.unknown().optional(),
  outcome: z
    .object({
      state: z.enum(["pending", "done", "failed", "erased"]),
      ...{ entry: z.number().optional(), error: shownFault.optional(), message: z.string().optional() },
      ...{ clause: z.string().optional(), publishes: z.string().optional() },
    })
    .optional(),
  rows: z.array(z.array(z.unknown())).describe("[table, key, value]; without a value it was removed"),
  ...{ erased: z.array(z.string()).optional(), gone: z.boolean().optional() },
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
      data: z.strictObject(named),
      result: shownEntry,
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
      summary: "Where the log ends and begins, its root, and whose it is.",
      data: z.strictObject({}),
      result: z.object({
        ...{ entries: z.number(), node: z.string(), name: z.string(), log: z.string(), first: z.number() },
        state: z.enum(["whole", "damaged"]),
        ...{ root: hash.optional(), epoch: z.number().optional(), at: z.number().optional() },
      }),
    }),
    checkpoint: query({
      summary: "A checkpoint of the log as it is now, signed by the node.",
      data: z.strictObject({}),
      result: z.object({
        ...{ log: z.string(), size: z.number(), root: hash, epoch: z.number(), at: z.number() },
        checkpoint: z.string(),
      }),
    }),
    receipt: query({
      summary: "An entry with the proof that it is in the log; it is verified without the node.",
      data: z.strictObject({
        ...named,
        witnesses: z
          .number()
          .int()
          .min(0)
          .max(16)
          .optional()
          .describe("how many witnesses have to have cosigned its checkpoint (default: none)"),
      }),
      result: z.object({
        format: z.literal(RECEIPT_FORMAT),
        entry: entryNumber,
        header: z.string(),
        parts: z.array(z.string()),
        proof: z.array(hash),
        checkpoint: z.string(),
      }),
    }),
    proof: query({
      summary: "The proof that the log of `from` entries is the beginning of the log of `to`.",
      data: z.strictObject({ from: size, to: size.optional() }),
      result: z.object({
        ...{ log: z.string(), from: z.number(), to: z.number(), fromRoot: hash, toRoot: hash },
        proof: z.array(hash),
      }),
    }),
    export: query({
      summary: "Entries as they are stored, by pages; or the hashes of their leaves.",
      data: z.strictObject({
        from: entryNumber,
        limit: z.number().int().min(1).max(65_536).optional(),
        leaves: z.boolean().optional(),
      }),
      result: z.object({
        from: entryNumber,
        entries: z.array(z.object({ entry: entryNumber, text: z.string() })).optional(),
        blobs: z.array(z.object({ name: z.string(), text: z.string() })).optional(),
        leaves: z.string().optional(),
        next: entryNumber.optional(),
      }),
    }),
    verify: query({
      summary: "Has the node check its own entries against their tree, and the tree against its checkpoint.",
      data: z.strictObject({ from: entryNumber.optional(), to: entryNumber.optional() }),
      result: z.object({
        ...{ from: z.number(), to: z.number(), entries: z.number(), erased: z.number(), leaves: z.number() },
        ...{ root: hash, checkpoint: z.string(), problem: problem.optional() },
      }),
    }),
    explain: query({
      summary: "Why a message was decided as it was: each plugin's verdict, and the clause that decided.",
      data: z.strictObject({ id: z.string().min(1).max(80) }),
      result: explained,
    }),
  },
};

/** The faults of the plugin ledger. */
export const ledgerFaults = {
  ENTRY_NOT_FOUND: { status: 404, retryable: false, text: "The log has no such entry." },
  WITNESS_PENDING: {
    status: 503,
    retryable: true,
    text: "No checkpoint that covers the entry is cosigned by so many witnesses yet; they look about every half minute. witness.list tells of each.",
  },
} as const satisfies FaultTable;
