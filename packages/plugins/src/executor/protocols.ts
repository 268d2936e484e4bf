// The protocols of a node, for whoever has tasks carried out: the executor its actions, the publisher its receivers.

import {
  type Authority,
  type Awaitable,
  type Fault,
  type FaultTable,
  type Logger,
  type Message,
  type NodeInfo,
  type Principal,
  type Right,
  type Table,
  token,
} from "@capstan/orchestrator";
import type { Inspected, Task } from "../registry/schema.ts";
import type { Call, PublicationInfo } from "./protocol.ts";
import type { ExecutionRow } from "./schema.ts";

/** One run, as whoever owes it describes it. */
export interface Run extends Pick<Call, "id" | "input" | "key" | "attempt" | "traceparent"> {
  readonly publication?: PublicationInfo;
  readonly signal: AbortSignal;
  readonly log: Logger;
  apply(message: Message, as: Principal): Promise<unknown>;
  allows(right: Right, as: Principal): Fault | undefined;
}

export interface Protocols {
  readonly names: readonly string[];
  /** Codes that a run may end with, those that protocols declare included. */
  readonly faults: FaultTable;
  /** What is to be known of a task before it is registered; its configuration as the schema gives it is among it. */
  inspect(
    task: Pick<Task, "name" | "protocol" | "configuration" | "transform">,
    node: NodeInfo,
  ): Promise<Inspected | Fault>;
  /** Why a task cannot be registered: no such protocol, or a right that the registrant does not have. Pure. */
  refused(task: Pick<Task, "name" | "protocol" | "configuration">, authority: Authority): Fault | undefined;
  /**
   * Carries a task out: its configuration and rights checked anew, secrets put in, input and output transformed, behind its
   * circuit breaker. Answers at once where all of that does. @throws FaultError without a secret in it
   */
  run(task: Task, run: Run): Awaitable<unknown>;
}

export const protocols = token<Protocols>()("protocols");

/** Executions that are not finished. */
export const executions = token<Table<ExecutionRow>>()("executions");
