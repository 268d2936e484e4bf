// What the dead-letter plugin keeps, can be asked, and gives to the plugins after it. A letter's row is small; what it says in
// full stands in the log, in the entry of the message that added it.

import {
  command,
  type FaultTable,
  type FollowUp,
  type Message,
  query,
  type Reader,
  type State,
  table,
  token,
} from "@capstan/orchestrator";
import { z } from "zod";

/** A letter that is open. When it came is in its id. */
export interface LetterRow {
  readonly kind: string;
  readonly about: string;
  /** What it is of: an action, say. Its namespace is the letter's. */
  readonly name: string;
  readonly attempts: number;
  /** Of the fault that it ended with. */
  readonly code: string;
  /** The message that owed what failed: its entry has to be kept for as long as the letter is open. */
  readonly owing: string;
  /** The message by which it is being redriven. */
  readonly redriving?: string;
}

/** By id: `d-…`, the sibling of the id of the message that added it. */
export const letterTable = table<LetterRow>("deadLetter");
/** `<kind> <about>` → the id of the letter that is open about it. Where `about` is `<whole>/<part>`, they are counted by `<kind> <whole>`. */
export const aboutTable = table<string>("deadLetterAbout", "logged", {
  countedBy(key) {
    const end = key.indexOf("/");
    return end < 0 ? undefined : key.slice(0, end);
  },
});

export const REDRIVE = "redrive";
/** What a letter's redriving asks: a fact. */
export const LETTER = "deadLetter.letter";

const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  details: z.unknown().optional(),
  id: z.string().optional(),
});
const messageId = z.string().min(1).max(80);
const letterId = z.string().regex(/^d-[0-9A-HJKMNP-TV-Z]{16}$/, "must be a dead letter's id, like d-01J8…");
const shortText = z.string().min(1).max(200);

const letterSchema = z.strictObject({
  kind: shortText.describe("what failed: execution, delivery"),
  about: shortText.describe("its id"),
  name: shortText,
  attempts: z.number().int().positive(),
  error: faultSchema,
  owing: messageId,
  principal: z.string(),
  grant: z.string(),
  redrive: z.strictObject({ resource: shortText, action: shortText, data: z.unknown() }),
  earlier: letterId.optional(),
  quiet: z.literal(true).optional(),
});

/** What its owner says of work that will not be tried again by itself. */
export interface DeadLetter {
  /** What failed: `execution`, `delivery`. With `about`, it names the thing for ever. */
  readonly kind: string;
  readonly about: string;
  /** What it is of, and by that its namespace. */
  readonly name: string;
  /** How often it was tried. */
  readonly attempts: number;
  readonly error: z.output<typeof faultSchema>;
  /** The message that owed it, on whose behalf, and under which grant. */
  readonly owing: string;
  readonly principal: string;
  readonly grant: string;
  /** The message that tries it again; whoever redrives the letter sends it. */
  readonly redrive: Message;
  /** The letter that the same thing was before it was tried again. */
  readonly earlier?: string | undefined;
  /** There was an alert for the same reason already: one of many letters of a loop. */
  readonly quiet?: true;
}

/** What the plugins that owe work are given. */
export interface DeadLetters {
  /** The message that makes a letter of it: to follow from the one by which its last attempt ended. */
  add(letter: DeadLetter): FollowUp;
  /** The letter that is open about it. */
  open(state: Pick<State, "get">, kind: string, about: string): string | undefined;
  /** How many letters of a kind are open about parts of it, `<whole>/<part>`. However many there are, it takes the same time. */
  count(state: Pick<Reader, "count">, kind: string, whole: string): number;
  /** The message by which a letter leaves: to follow from the one by which it is tried again, whoever asked for that. */
  leave(letter: string): FollowUp;
}

/** The token under which plugins hand in dead letters. */
export const deadLetters = token<DeadLetters>()("deadLetters");

const byId = { about: "id" as const, target: ({ id }: { readonly id: string }): string => id };

const common = { id: z.string(), kind: z.string(), about: z.string(), name: z.string(), attempts: z.number() };
const listedLetter = z.object({
  ...common,
  ...{ code: z.string(), at: z.number(), state: z.enum(["open", "redriving"]), redriving: z.string().optional() },
});
/** What was erased is not told. */
const shownLetter = z.object({
  ...z.object(common).partial().shape,
  ...{ id: z.string(), at: z.number(), entries: z.array(z.number()) },
  state: z.enum(["open", "redriving", "redriven", "discarded", "replaced", "over"]),
  end: z
    .object({ message: z.string().optional(), discarded: z.string().optional(), replaced: z.string().optional() })
    .optional(),
  ...{ code: z.string().optional(), error: faultSchema.optional(), erased: z.boolean().optional() },
  ...{ owing: z.string().optional(), principal: z.string().optional(), grant: z.string().optional() },
  redrive: z.object({ resource: z.string(), action: z.string(), data: z.unknown() }).optional(),
  ...{ redriving: z.string().optional(), earlier: z.string().optional(), alert: z.number().optional() },
});

export const deadLetterMessages = {
  deadLetter: {
    list: query({
      summary: "List the dead letters that are open, newest first.",
      data: z.strictObject({
        kind: shortText.optional(),
        name: shortText.optional(),
        code: shortText.optional(),
        state: z.enum(["open", "redriving"]).optional(),
        // A letter's id, or a page's `next`.
        before: letterId.optional(),
        limit: z.number().int().min(1).max(1000).optional(),
      }),
      result: z.object({ items: z.array(listedLetter), next: z.string().optional() }),
    }),
    show: query({
      summary: "Show a dead letter, open or not, with its fault, its alert and what became of it.",
      data: z.strictObject({ id: letterId }),
      result: shownLetter,
      ...byId,
    }),
    redrive: command({
      summary: "Have what a dead letter is about tried again, in the caller's own name.",
      data: z.strictObject({ id: letterId }),
      result: z.object({ id: z.string(), message: z.string().optional(), pending: z.boolean().optional() }),
      ...byId,
    }),
    discard: command({
      summary: "Give a dead letter up, for a reason that is recorded.",
      data: z.strictObject({ id: letterId, reason: z.string().min(1).max(500) }),
      result: z.object({ id: z.string() }),
      ...byId,
    }),
    add: command({
      internal: true,
      summary: "Something has no attempt left.",
      data: letterSchema,
      result: z.object({ id: z.string() }),
    }),
    leave: command({
      internal: true,
      summary: "What a dead letter is about is tried again.",
      data: z.strictObject({ id: letterId }),
      result: z.unknown(),
    }),
    stay: command({
      internal: true,
      summary: "A dead letter's redriving was refused: it stays.",
      data: z.strictObject({ id: letterId, redrive: messageId, error: faultSchema }),
      result: z.unknown(),
    }),
  },
  alert: {
    raised: command({
      internal: true,
      summary: "Somebody should look at something.",
      data: z.strictObject({ kind: shortText, about: shortText, text: z.string().max(1000) }),
      result: z.unknown(),
    }),
  },
};

/** The faults of the plugin dead-letter. */
export const deadLetterFaults = {
  DEAD_LETTER_UNKNOWN: {
    status: 404,
    retryable: false,
    text: "There is no dead letter of that id that is open, or none that the caller may see; deadLetter.show tells what became of one.",
  },
  DEAD_LETTER_REDRIVING: {
    status: 409,
    retryable: false,
    text: "The dead letter is being redriven already; wait for what comes of that.",
  },
  DEAD_LETTER_ERASED: {
    status: 410,
    retryable: false,
    text: "What the dead letter says was erased from the log, and with it how to try again; discard it.",
  },
} as const satisfies FaultTable;
