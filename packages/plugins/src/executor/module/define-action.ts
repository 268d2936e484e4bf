// What an operator's module exports: its schemas, what its code may ask for, and the code. Types flow from the schemas.

import type { Logger } from "@capstan/orchestrator";
import type { z } from "zod";
import type { ActionScope } from "../protocol.ts";

export interface ActionContext {
  readonly capstan: ActionScope;
  /** Aborted when the execution is cancelled, its deadline passes or the node stops. */
  readonly signal: AbortSignal;
  /** `log.info({ rows }, "imported")`: lines of the node's log, with the execution's id. */
  readonly log: Logger;
}

export interface ActionOptions<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly input: Input;
  readonly output: Output;
  /** Running it twice is as running it once: a crash in the middle is retried. Default: no. */
  readonly idempotent?: boolean;
  /** It changes nothing anywhere. Default: no. */
  readonly readOnly?: boolean;
  /** What its code may ask for, such as `action.perform:shout`. Default: nothing. */
  readonly may?: readonly string[];
  /** Milliseconds that one run may take. Default: the executor's. */
  readonly timeout?: number;
  run(input: z.output<Input>, context: ActionContext): z.input<Output> | Promise<z.input<Output>>;
}

// Known by name: the module's copy of this file need not be the program's.
const BRAND: unique symbol = Symbol.for("capstan.action") as never;

export interface ActionDefinition<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType>
  extends Readonly<Required<Omit<ActionOptions<Input, Output>, "timeout">>> {
  readonly [BRAND]: 1;
  readonly timeout: number | undefined;
}

/** Throws a TypeError that names the option; a module that does is MODULE_INVALID. */
export function defineAction<Input extends z.ZodType, Output extends z.ZodType>(
  options: ActionOptions<Input, Output>,
): ActionDefinition<Input, Output> {
  const { input, output, idempotent = false, readOnly = false, may = [], timeout, run } = options;
  require(isZod(input), "input must be a zod schema, such as z.object({ name: z.string() })");
  require(isZod(output), "output must be a zod schema, such as z.object({ text: z.string() })");
  require(typeof run === "function", "run must be a function: run(input, { capstan, signal, log })");
  require(typeof idempotent === "boolean", "idempotent must be true or false");
  require(typeof readOnly === "boolean", "readOnly must be true or false");
  require(Array.isArray(may) && may.every(isRight), 'may must be a list of rights, such as ["action.perform:shout"]');
  require(timeout === undefined || (Number.isFinite(timeout) && timeout > 0), "timeout must be milliseconds above 0");
  return Object.freeze({
    [BRAND]: 1 as const,
    input,
    output,
    idempotent,
    readOnly,
    may: Object.freeze([...may]),
    timeout,
    run,
  });
}

/** Whether a module's default export came from `defineAction`. */
export function isActionDefinition(value: unknown): value is ActionDefinition {
  return typeof value === "object" && value !== null && (value as { [BRAND]?: unknown })[BRAND] === 1;
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`defineAction: ${what}`);
}

const isZod = (value: unknown): boolean => typeof value === "object" && value !== null && "_zod" in value;
// What a right means is the grant's to say; here it only has to be a word without spaces.
const isRight = (value: unknown): boolean => typeof value === "string" && /^\S{1,256}$/.test(value);
