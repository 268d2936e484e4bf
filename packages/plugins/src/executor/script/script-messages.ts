// What crosses between the node and a process that runs scripts. The node trusts the process to run guests in QuickJS, and
// still takes nothing from it but these messages.

import { z } from "zod";

/** By the clock a guest has so many times its CPU time: beside one who is busy, its priority gets it a tenth of a processor. */
export const WALL_FACTOR = 10;

export interface Limits {
  /** Milliseconds of CPU time. */
  readonly time: number;
  /** Bytes. */
  readonly memory: number;
  readonly output: number;
  readonly depth: number;
}

/** What a guest is given besides its input. */
export interface Given {
  readonly id?: string;
  readonly key?: string;
  readonly attempt?: number;
  readonly publication?: unknown;
  readonly files: boolean;
}

export interface RunMessage {
  readonly kind: "run";
  /** Of the process's life: what is about an earlier one is dropped. */
  readonly run: number;
  readonly source: string;
  /** JSON; none where there is no input. */
  readonly input?: string;
  readonly given: Given;
  readonly limits: Limits;
}

export interface CompileMessage {
  readonly kind: "compile";
  readonly run: number;
  readonly source: string;
  readonly limits: Limits;
}

export interface AnswerMessage {
  readonly kind: "answer";
  readonly run: number;
  readonly ask: number;
  /** JSON. */
  readonly value?: string;
  readonly fault?: PlainFault;
}

export interface StopMessage {
  readonly kind: "stop";
  readonly run: number;
}

/** Node to process. */
export type Told = RunMessage | CompileMessage | AnswerMessage | StopMessage;

const plainFault = z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() });
export type PlainFault = z.output<typeof plainFault>;

const outcome = z.discriminatedUnion("kind", [
  /** JSON; none where it gave `undefined`. */
  z.object({ kind: z.literal("output"), text: z.string().optional() }),
  z.object({ kind: z.literal("fault"), fault: plainFault }),
]);
export type Outcome = z.output<typeof outcome>;

export const whats = ["perform", "readText", "writeText", "list", "stat"] as const;
export type What = (typeof whats)[number];

/** Process to node. */
export const saidSchema = z.discriminatedUnion("kind", [
  /** It took the message in: CPU time counts from here. */
  z.object({ kind: z.literal("started"), run: z.number() }),
  z.object({ kind: z.literal("ask"), run: z.number(), ask: z.number(), what: z.enum(whats), data: z.string() }),
  z.object({ kind: z.literal("log"), run: z.number(), level: z.enum(["info", "warn"]), text: z.string().max(2000) }),
  /** Nothing is left to do before an answer comes; `answered` of them came in. `spent` is its CPU time so far. */
  z.object({ kind: z.literal("waiting"), run: z.number(), answered: z.number(), spent: z.number() }),
  /** `retire`: the process has grown, and another should take its place. */
  z.object({ kind: z.literal("ended"), run: z.number(), outcome, retire: z.boolean() }),
]);
export type Said = z.output<typeof saidSchema>;
