// What the publisher keeps and can be asked: receivers, subscriptions, and how far each is. What is published is not kept here:
// it is the log's entries (docs/adr/0017).

import {
  command,
  type Fault,
  type FaultTable,
  nameSchema,
  type Principal,
  query,
  signal,
  table,
} from "@capstan/orchestrator";
import { z } from "zod";
import { type Task, taskFields, taskUpdates } from "../registry/schema.ts";
import type { CursorLog } from "./cursor.ts";
import { importMessages } from "./elsewhere/import-schema.ts";
import type { Publication } from "./publication.ts";
import { namespaceIn } from "./topic.ts";

/** Code that is handed publications. */
export interface ReceiverRow extends Task {
  /** JSON Schema of what it takes; what does not fit is a dead letter. */
  readonly input?: unknown;
}

export interface SubscriptionRow extends Principal {
  readonly topic: string;
  /** Who is handed the publications; without one it is a cursor, for whoever reads or follows by it. */
  readonly receiver?: string;
  readonly name?: string;
  /** How often a delivery is tried, and the wait before the second try; default: the receiver's. */
  readonly attempts?: number;
  readonly backoff?: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a receiver was given as it failed, for good. */
export interface FailedDelivery {
  /** The subscription, and the entry of the publication. */
  readonly id: string;
  readonly entry: number;
  /** The message that was published. */
  readonly message: string;
  readonly receiver: string;
  readonly attempts: number;
  readonly principal: string;
  readonly grant: string;
  readonly error: { readonly code: string; readonly message: string; readonly details?: unknown; readonly id?: string };
  /** There was an alert for the same reason already. */
  readonly quiet?: boolean;
  /** The letter that it was before. */
  readonly earlier?: string;
}

export type Redelivery = Omit<FailedDelivery, "error">;

export const receiverTable = table<ReceiverRow>("receiver");
/** By id: `s-…`. */
export const subscriptionTable = table<SubscriptionRow>("subscription");
/** The entry up to which a subscription is through: apart from its row, because it moves all the time. */
export const cursorTable = table<number>("subscriptionCursor");

/** Facts: where a subscription begins, or is acknowledged to. */
export const FROM = "subscription.from";
/** Fact: of topics elsewhere, the one that was meant, perhaps. */
export const NEAR = "subscription.near";
/** Fact: the message that an entry published. */
export const PUBLISHED = "subscription.published";
export const REDELIVER = "redeliver";
/** The kind of the dead letters about deliveries. */
export const DELIVERY = "delivery";

export interface From {
  readonly log: string;
  /** None: the log was never restored. */
  readonly restorations?: CursorLog["restorations"];
  /** `undefined`: now. */
  readonly entry?: number;
}

/** What a follower's callback is called with, a batch at a time; its answer acknowledges. */
export interface Batch {
  readonly publications: readonly Publication[];
  /** Where to go on from once these are dealt with. */
  readonly next: string;
  /** It is let go: the last call. */
  readonly ended?: Fault;
}

/** Publications that one page or batch holds at most. */
export const MOST_AT_ONCE = 256;
const LONGEST_WAIT_MS = 60_000;

const topic = z
  .string()
  .max(220)
  .regex(
    /^[a-z][A-Za-z0-9]*\.([\w.~/-]+\*?|\*)$/,
    "must be a topic, like action.greet, or a prefix with *, like action.*",
  );
const subscriptionId = z.string().regex(/^s-[0-9A-HJKMNP-TV-Z]{16}$/, "must be a subscription's id, like s-01J8…");
const cursor = z.string().min(1).max(80);
const from = z.string().min(1).max(80).describe('"now", "start", or a cursor');
// Over RPC a function: the edge puts a reference in its place before anything is checked (MessageDefinition.live).
const callback = z.string().max(80) as unknown as z.ZodType<string, string | ((batch: Batch) => unknown)>;
const byId = { about: "id" as const, target: ({ id }: { readonly id: string }): string => id };
const named = ({ name }: { readonly name: string }): string => name;
const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  details: z.unknown().optional(),
  id: z.string().optional(),
});
const failure = z.strictObject({
  id: subscriptionId,
  entry: z.number().int().positive(),
  message: z.string(),
  receiver: z.string(),
  attempts: z.number().int().positive(),
  principal: z.string(),
  grant: z.string(),
  error: faultSchema,
  quiet: z.boolean().optional(),
  earlier: z.string().optional(),
});
const retries = { attempts: taskFields.attempts, backoff: taskFields.backoff };
const task = { ...taskFields, input: z.unknown().optional() };
const revised = z.object({ name: z.string(), revision: z.number() });
const page = z.strictObject({
  after: z.string().max(220).optional(),
  limit: z.number().int().min(1).max(1000).optional(),
});
const listed = z.object({ items: z.array(z.unknown()), next: z.string().optional() });

/** One or the other: a durable subscription by its id, or a topic. */
const which = { id: subscriptionId.optional(), topic: topic.optional() };
const eitherOf = {
  about: "id" as const, // of a topic, `decide` asks for its namespace itself
  target: ({ id, topic: of }: { readonly id?: string | undefined; readonly topic?: string | undefined }) => of ?? id,
};

export const publisherMessages = {
  action: {
    publish: command({
      summary: "Publish an output under an action's topic without performing it.",
      data: z.strictObject({ name: nameSchema, output: z.unknown().optional() }),
      result: z.object({ id: z.string(), topic: z.string() }),
      target: named,
    }),
  },
  receiver: {
    register: command({
      summary: "Register a receiver: code that is handed publications.",
      data: z.strictObject({ name: nameSchema, protocol: z.string().min(1).max(64).default("module"), ...task }),
      result: revised,
      target: named,
    }),
    update: command({
      summary: "Replace a receiver by a new revision. What is not said stays.",
      data: z.strictObject({
        name: nameSchema,
        revision: z.number().int().positive().optional(),
        protocol: z.string().min(1).max(64).optional(),
        ...taskUpdates,
        input: z.unknown().optional(),
      }),
      result: revised,
      target: named,
    }),
    remove: command({
      summary: "Remove a receiver. Its subscriptions stop where they are.",
      data: z.strictObject({ name: nameSchema }),
      result: revised,
      target: named,
    }),
    list: query({ summary: "List receivers.", data: page, result: listed }),
    show: query({
      summary: "Show a receiver, with its subscriptions.",
      data: z.strictObject({ name: nameSchema }),
      result: z.unknown(),
      target: named,
    }),
  },
  subscription: {
    create: command({
      summary: "Subscribe a receiver to a topic, or keep a cursor over it.",
      data: z.strictObject({
        topic,
        receiver: nameSchema.optional(),
        name: nameSchema.optional(),
        from: from.optional(),
        ...retries,
      }),
      result: z.object({ id: z.string(), cursor: z.string() }),
      numbered: true,
      right: "read",
      target: (data) => data.topic,
      namespace: (data) => namespaceIn(data.topic),
    }),
    delete: command({
      summary: "End a subscription. What was delivered stays delivered.",
      data: z.strictObject({ id: subscriptionId }),
      result: z.object({ id: z.string() }),
      ...byId,
    }),
    resume: command({
      summary: "Have a subscription go on in the caller's name, from where it stopped.",
      data: z.strictObject({ id: subscriptionId }),
      result: z.object({ id: z.string() }),
      ...byId,
    }),
    list: query({
      summary: "List subscriptions.",
      data: page.extend({ topic: topic.optional(), receiver: nameSchema.optional() }),
      result: listed,
    }),
    show: query({
      summary: "Show a subscription: how far it is, and whether it goes on.",
      data: z.strictObject({ id: subscriptionId }),
      result: z.unknown(),
      ...byId,
    }),
    read: query({
      summary: "Read publications after a cursor, and wait for them if there are none yet.",
      data: z.strictObject({
        ...which,
        after: from.optional(),
        limit: z.number().int().min(1).max(MOST_AT_ONCE).optional(),
        wait: z.number().int().min(0).max(LONGEST_WAIT_MS).optional(),
      }),
      result: z.object({ items: z.array(z.unknown()), next: z.string(), head: z.string() }),
      ...eitherOf,
    }),
    follow: signal({
      summary: "Have a callback called with publications, from a cursor on and as they come.",
      data: z.strictObject({ ...which, from: from.optional(), callback }),
      result: z.object({ follower: z.string(), cursor: z.string() }),
      live: ["callback"],
      ...eitherOf,
    }),
    acknowledge: command({
      summary: "Say that everything up to a cursor was dealt with.",
      data: z.strictObject({ id: subscriptionId, cursor }),
      result: z.object({ id: z.string(), cursor: z.string() }),
      ...byId,
    }),
    redeliver: command({
      summary: "Hand a receiver once more what it failed on.",
      data: z.strictObject({ id: subscriptionId, entry: z.number().int().positive() }),
      result: z.object({ id: z.string(), entry: z.number(), pending: z.boolean().optional() }),
      ...byId,
    }),
    advance: command({
      internal: true,
      summary: "Subscriptions got further.",
      data: z.strictObject({ cursors: z.record(subscriptionId, z.number().int().nonnegative()) }),
      result: z.unknown(),
    }),
    fail: command({ internal: true, summary: "A delivery has no attempt left.", data: failure, result: z.unknown() }),
    redelivered: command({
      internal: true,
      summary: "What came of handing a receiver once more what it failed on.",
      data: failure.partial({ error: true }),
      result: z.unknown(),
    }),
    ...importMessages,
  },
};

/** The faults of the plugin publisher. */
export const publisherFaults = {
  TOPIC_UNKNOWN: {
    status: 404,
    retryable: false,
    text: "Nothing is published under that topic, or nothing that the caller may read; the nearest one is named.",
  },
  RECEIVER_UNKNOWN: {
    status: 404,
    retryable: false,
    text: "There is no receiver of that name; the nearest one is named.",
  },
  RECEIVER_EXISTS: { status: 409, retryable: false, text: "There is a receiver of that name; use receiver.update." },
  SUBSCRIPTION_UNKNOWN: {
    status: 404,
    retryable: false,
    text: "There is no subscription of that id, or none that the caller may see; subscription.list names them.",
  },
  SUBSCRIPTION_EXISTS: {
    status: 409,
    retryable: false,
    text: "The caller has a subscription of that name; the text says which.",
  },
  SUBSCRIPTION_TAKEN: {
    status: 409,
    retryable: false,
    text: "Another follows the subscription now: one at a time does, the latest.",
  },
  DELIVERY_UNKNOWN: {
    status: 404,
    retryable: false,
    text: "No delivery of that entry is a dead letter of the subscription.",
  },
  FOLLOWER_SLOW: {
    status: 504,
    retryable: true,
    text: "The callback did not answer in time, and was let go; follow again from the cursor.",
  },
  FOLLOWER_FAILED: {
    status: 502,
    retryable: true,
    text: "The callback failed, and was let go; follow again from the cursor.",
  },
  STREAMS_EXCEEDED: {
    status: 429,
    retryable: true,
    text: "The principal has as many streams of events open as one may; end some first.",
  },
  CURSOR_INVALID: {
    status: 422,
    retryable: false,
    text: "The text is neither `start`, `now` nor a cursor, or there is no place for one here.",
  },
  CURSOR_FUTURE: {
    status: 409,
    retryable: false,
    text: "The log does not reach as far as the cursor, or was restored since to before it; then `details.kept` is up to where it is the same.",
  },
  CURSOR_GONE: {
    status: 410,
    retryable: false,
    text: "The log was compacted past the cursor; `details.first` is the oldest that can be read from.",
  },
  CURSOR_FOREIGN: { status: 409, retryable: false, text: "The cursor is of another log." },
  IMPORT_OUT_OF_STEP: {
    status: 409,
    retryable: false,
    text: "(peers) What arrived of a topic of another node does not follow on what had arrived before; it is read again from there.",
  },
  FANOUT_EXCEEDED: {
    status: 508,
    retryable: false,
    text: "Receivers asked for too much because of one message; a loop is likely.",
  },
} as const satisfies FaultTable;
