// The contract by which plugins have tasks carried out by protocols: the executor its actions, the publisher its receivers.

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

/** One run, as its plugin describes it. */
export interface Run extends Pick<Call, "id" | "input" | "key" | "attempt" | "traceparent"> {
  readonly publication?: PublicationInfo;
  readonly signal: AbortSignal;
  readonly log: Logger;
  apply(message: Message, as: Principal): Promise<unknown>;
  allows(right: Right, as: Principal): Fault | undefined;
}

/** The protocols of a node: inspects, checks and runs tasks. */
export interface Protocols {
  readonly names: readonly string[];
  /** The fault codes that a run may end with, those that protocols declare included. */
  readonly faults: FaultTable;
  /** Finds out what must be known of a task before its registration, the parsed configuration included. */
  inspect(
    task: Pick<Task, "name" | "protocol" | "configuration" | "transform">,
    node: NodeInfo,
  ): Promise<Inspected | Fault>;
  /** Why a task cannot be registered: no such protocol, or a right that the registrant does not have. Pure. */
  refused(task: Pick<Task, "name" | "protocol" | "configuration">, authority: Authority): Fault | undefined;
  /**
   * Carries a task out: checks its configuration and rights again, puts secrets in, transforms input and output, all behind its circuit
   * breaker. Answers without a promise where the protocol does. @throws FaultError, from which secrets are redacted
   */
  run(task: Task, run: Run): Awaitable<unknown>;
}

/** The token under which the executor offers its protocols. */
export const protocols = token<Protocols>()("protocols");

/** The token of the table of unfinished executions. */
export const executions = token<Table<ExecutionRow>>()("executions");
