// The messages by which a carrier of topics notes ways, and publications that arrived. They are the node's own messages, but with data of others,
// which was bounded before (arrival.ts).

import { command, signal } from "@capstan/orchestrator";
import { z } from "zod";

/** The most changes in one message. */
export const MOST_CHANGES = 256;
const LONGEST_TEXT = 500;

const node = z.string().min(1).max(64);
const peer = z.string().min(1).max(64);
const cursor = z.string().min(1).max(80);
/** Latest time that a Date can have (ECMA-262 §21.4.1.1). */
const time = z.number().int().min(0).max(8_640_000_000_000_000);

const way = z.strictObject({ peer, node, path: z.array(z.string()), origin: node });

export const topicName = z
  .string()
  .max(220)
  .regex(/^[a-z][A-Za-z0-9]*\.[\w.~/-]+$/, "must be a topic, like action.greet, and no pattern");

/** A publication in an import's entry, which also has its topic and cursor. */
export const importedPublication = z.strictObject({
  id: z.string().regex(/^[\w.-]{1,80}$/, "must be a message's id"),
  at: time,
  data: z.unknown(),
  principal: z.string().min(1).max(200).optional(),
  /** The publication at the root, where receivers led to this one (delivery/fan-out.ts). */
  root: z.string().min(1).max(80).optional(),
});

const missed = z.strictObject({
  why: z.enum(["gone", "origin", "foreign", "future", "too-large", "unfit", "loop"]),
  text: z.string().min(1).max(LONGEST_TEXT),
});

export const importMessages = {
  reach: signal({
    internal: true,
    summary: "Topics can be followed elsewhere, or no longer.",
    data: z.strictObject({
      by: z.string(),
      // Others choose these names: one that is no topic is skipped.
      changes: z.array(z.strictObject({ topic: z.string(), way: way.nullable() })).max(MOST_CHANGES),
    }),
    result: z.unknown(),
  }),
  import: command({
    internal: true,
    summary: "A topic of another node got further: what was published there is published here.",
    data: z.strictObject({
      topic: topicName,
      origin: node,
      /** The neighbour that it came from. */
      from: z.strictObject({ peer, node }),
      /** The cursor that it follows on; absent where there is none yet, or none from which it could go on. */
      after: cursor.optional(),
      cursor,
      publication: importedPublication.optional(),
      missed: missed.optional(),
    }),
    result: z.unknown(),
  }),
  release: command({
    internal: true,
    summary: "Nobody here wants topics of other nodes any more: what comes next of them is not imported.",
    data: z.strictObject({ topics: z.array(topicName).max(MOST_CHANGES) }),
    result: z.unknown(),
  }),
};

export type Reach = z.output<(typeof importMessages)["reach"]["data"]>;
export type Import = z.output<(typeof importMessages)["import"]["data"]>;
export type Release = z.output<(typeof importMessages)["release"]["data"]>;
export type ImportedPublication = z.output<typeof importedPublication>;
