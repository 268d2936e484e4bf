// The messages of witnesses: operators ask for findings and held checkpoints; peers ask for proofs that this node's log only grew.

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

/** A proof has at most 54 hashes; a tree has one peak for each 1 in its size's binary digits. */
export const provedSchema = z.strictObject({
  log: logId,
  proof: z.array(hash).max(54).optional(),
  peaks: z.array(hash).max(53).optional(),
  inclusion: z.array(hash).max(53).optional(),
});
/** Leaf hashes of 32 bytes each, concatenated, in base64. */
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
      summary: "List the peers' logs that this node witnesses, and their states.",
      data: z.strictObject({
        after: z.string().max(64).optional(),
        limit: z.number().int().min(1).max(1000).optional(),
      }),
      result: z.object({ items: z.array(z.unknown()), next: z.string().optional() }),
    }),
    show: query({
      summary: "Show the state of a peer's log: the checkpoint that this node cosigned, and its finding.",
      data: z.strictObject({ name: peerName }),
      result: z.unknown(),
      ...about,
    }),
    accept: command({
      summary: "Accept a peer's log after a finding: forget what is held of it, and witness it anew.",
      data: z.strictObject({ name: peerName }),
      result: z.object({ name: z.string(), node: z.string() }),
      ...about,
    }),
    held: query({
      summary:
        "Show what this node holds of a log that it witnesses: the cosigned checkpoint, and leaf hashes, by pages.",
      data: z.strictObject({
        log: logId,
        name: peerName.optional().describe("whose it is, where two peers show the same log"),
        ...heldAsked,
      }),
      result: heldSchema,
    }),
    fetch: query({
      summary: "Ask a peer for the checkpoint and leaf hashes that it holds of this node's log.",
      data: z.strictObject({ name: peerName, ...heldAsked }),
      result: heldSchema,
      ...about,
    }),
    prove: query({
      summary: "(peers) Return consistency and inclusion proofs of this node's log as of `to` entries.",
      data: z.strictObject({
        to: size,
        from: size.optional().describe("a size: the consistency proof from there"),
        base: size.optional().describe("a smaller size: its peaks"),
        entry: entryNumber.optional().describe("an entry's number: its inclusion proof"),
      }),
      result: provedSchema,
    }),
    leaves: query({
      summary: "(peers) Return leaf hashes of this node's log.",
      data: z.strictObject(leafPage),
      result: leavesSchema,
    }),
    alert: command({
      internal: true,
      summary: "A peer's log was found forked, rewound or replaced.",
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
