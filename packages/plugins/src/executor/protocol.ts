// How to talk to one kind of outside system. An action names a protocol and configures it; the executor validates the
// configuration, asks what there is to know beforehand, and has it execute.

import type { Awaitable, Fault, Logger, NodeInfo } from "@capstan/orchestrator";
import type { z } from "zod";
import type { ActionRow, Inspected } from "../registry/schema.ts";
import type { ActionScope } from "./module/define-action.ts";

/** One performing of an action, as a protocol sees it. */
export interface Call {
  readonly action: ActionRow;
  readonly execution: string;
  readonly input: unknown;
  /** The same for every attempt: what an outside system can tell repeats by. */
  readonly key: string;
  /** Aborted when the execution is cancelled, its deadline passes, or the node stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The orchestrator, as the action's registrant, narrowed to the action's `may`. */
  readonly capstan: ActionScope;
}

export interface Protocol {
  readonly name: string;
  readonly configSchema: z.ZodType;
  /** What is wrong with a configuration that its schema cannot say. */
  validateConfig?(configuration: unknown): Fault | undefined;
  /** What is to be known of an action before it is registered: schemas, digest. Async, bounded by the kernel. */
  inspect?(configuration: unknown, node: NodeInfo): Promise<Inspected | Fault>;
  /** Whether the outside system answers. */
  testConnection?(configuration: unknown, signal: AbortSignal): Promise<Fault | undefined>;
  /** Carries the call out. May answer at once. @throws FaultError for what the caller should see as it is. */
  execute(call: Call): Awaitable<unknown>;
  start?(node: NodeInfo): Promise<void>;
}
