// What witnesses are asked: by operators, what was found and what is held; by peers, what proves that our log only grew.

import { command, query } from "@capstan/orchestrator";
import { z } from "zod";
import { nodeId, peerName } from "../names.ts";
import { alertKinds, LEAVES_A_PAGE, LONGEST_NOTE } from "./witness-schema.ts";

const logId = z.string().regex(/^l-[0-9A-Za-z]{26}$/, "must be a log's id, like l- and 26 letters or digits");
const size = z.number().int().nonnegative();
const entryNumber = z.number().int().positive();
const note = z.string().max(LONGEST_NOTE);
/** 32 bytes in base64. */
const hash = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "must be 32 bytes in base64");
const leafPage = {
  from: entryNumber.describe("an entry's number"),
  count: z.number().int().min(1).max(LEAVES_A_PAGE).optional(),
};
const about = { about: "id" as const, target: ({ name }: { readonly name: string }): string => name };

/** Proofs have 54 hashes at most, and a tree as many peaks as its size has ones. */
export const provedSchema = z.strictObject({
  log: logId,
  proof: z.array(hash).max(54).optional(),
  peaks: z.array(hash).max(53).optional(),
  inclusion: z.array(hash).max(53).optional(),
});
/** Each 32 bytes, together in base64. */
const leaves = z.string().max(Math.ceil((LEAVES_A_PAGE * 32) / 3) * 4);
export const leavesSchema = z.strictObject({ log: logId, from: entryNumber, leaves });
export const heldSchema = z.strictObject({
  ...{ log: logId, checkpoint: note },
  ...{ base: size, peaks: z.array(hash).max(53), size },
  ...{ from: entryNumber.optional(), leaves: leaves.optional() },
});
const heldAsked = { from: entryNumber.optional(), count: leafPage.count };

export const witnessMessages = {
  witness: {
    list: query({
      summary: "List the logs that this node witnesses, its peers', and how it is with each.",
      data: z.strictObject({
        after: z.string().max(64).optional(),
        limit: z.number().int().min(1).max(1000).optional(),
      }),
      result: z.object({ items: z.array(z.unknown()), next: z.string().optional() }),
    }),
    show: query({
      summary: "Show what this node knows of a peer's log: the checkpoint that it cosigned, and what it found.",
      data: z.strictObject({ name: peerName }),
      result: z.unknown(),
      ...about,
    }),
    accept: command({
      summary:
        "Take note of what was found of a peer's log: what is held of it is forgotten, and it is witnessed anew.",
      data: z.strictObject({ name: peerName }),
      result: z.object({ name: z.string(), node: z.string() }),
      ...about,
    }),
    held: query({
      summary:
        "What this node holds of a log that it witnesses: its cosigned checkpoint, and hashes of leaves, by pages.",
      data: z.strictObject({
        log: logId,
        name: peerName.optional().describe("whose it is, where two peers show the same log"),
        ...heldAsked,
      }),
      result: heldSchema,
    }),
    fetch: query({
      summary: "Ask a peer what it holds of this node's log.",
      data: z.strictObject({ name: peerName, ...heldAsked }),
      result: heldSchema,
      ...about,
    }),
    prove: query({
      summary: "(peers) Prove that this node's log only grew: what is asked for, of the log when it had `to` entries.",
      data: z.strictObject({
        to: size,
        from: size.optional().describe("a size: the consistency proof from there"),
        base: size.optional().describe("a smaller size: its peaks"),
        entry: entryNumber.optional().describe("an entry's number: its inclusion proof"),
      }),
      result: provedSchema,
    }),
    leaves: query({
      summary: "(peers) Hashes of leaves of this node's log.",
      data: z.strictObject(leafPage),
      result: leavesSchema,
    }),
    alert: command({
      internal: true,
      summary: "A peer's log was found to be another than it was: forked, rewound or replaced.",
      data: z.strictObject({
        ...{ name: peerName, node: nodeId, log: logId },
        kind: z.enum(alertKinds),
        entry: entryNumber.optional(),
        ...{ why: z.string().max(1000), held: note, shown: note },
      }),
      result: z.unknown(),
    }),
  },
};
