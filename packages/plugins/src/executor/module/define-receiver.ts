// What an operator's module exports for a receiver: what it takes, what its code may ask for, and the code. It has no output:
// what it does is what it asks for, and that it did not throw is all that is known of it.

import type { Logger } from "@capstan/orchestrator";
import { z } from "zod";
import type { ActionScope, PublicationInfo } from "../protocol.ts";

export interface ReceiverContext {
  readonly capstan: ActionScope;
  /** Where it stands, what it is of. The same publication may come again: after a crash, or where a run failed. */
  readonly publication: PublicationInfo;
  /** Aborted when the delivery's time is over, the subscription ends or the node stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export interface ReceiverOptions<Input extends z.ZodType = z.ZodType> {
  /** What it takes; default anything. A publication that does not fit fails for good. */
  readonly input?: Input;
  /** What its code may ask for, such as `action.perform:books/index`. Default: nothing. */
  readonly may?: readonly string[];
  /** Milliseconds that one run may take. Default: the executor's. */
  readonly timeout?: number;
  run(data: z.output<Input>, context: ReceiverContext): void | Promise<void>;
}

// Known by name: the module's copy of this file need not be the program's.
const BRAND: unique symbol = Symbol.for("capstan.receiver") as never;

export interface ReceiverDefinition<Input extends z.ZodType = z.ZodType> {
  readonly [BRAND]: 1;
  readonly input: Input;
  readonly may: readonly string[];
  readonly timeout: number | undefined;
  run(data: z.output<Input>, context: ReceiverContext): unknown;
}

/** Throws a TypeError that names the option; a module that does is MODULE_INVALID. */
export function defineReceiver<Input extends z.ZodType = z.ZodUnknown>(
  options: ReceiverOptions<Input>,
): ReceiverDefinition<Input> {
  const { input = z.unknown() as unknown as Input, may = [], timeout, run } = options;
  require("_zod" in input, "input must be a zod schema, such as z.object({ title: z.string() })");
  require(typeof run === "function", "run must be a function: run(data, { capstan, publication, signal, log })");
  require(Array.isArray(may) && may.every(isRight), 'may must be a list of rights, such as ["action.perform:shout"]');
  require(timeout === undefined || (Number.isFinite(timeout) && timeout > 0), "timeout must be milliseconds above 0");
  return Object.freeze({ [BRAND]: 1 as const, input, may: Object.freeze([...may]), timeout, run });
}

/** Whether a module's default export came from `defineReceiver`. */
export function isReceiverDefinition(value: unknown): value is ReceiverDefinition {
  return typeof value === "object" && value !== null && (value as { [BRAND]?: unknown })[BRAND] === 1;
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`defineReceiver: ${what}`);
}

// What a right means is the grant's to say; here it only has to be a word without spaces.
const isRight = (value: unknown): boolean => typeof value === "string" && /^\S{1,256}$/.test(value);
