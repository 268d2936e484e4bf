// The contract of a protocol: how to talk to one kind of outside system. An action or a receiver names a protocol and has a configuration for it,
// which is checked at registration and again at each use.

import type { Awaitable, Fault, FaultTable, Logger, NodeInfo, Right } from "@capstan/orchestrator";
import type { z } from "zod";
import type { Inspected, Task } from "../registry/schema.ts";
import type { Resolved } from "./secret/secret.ts";

/** What a receiver is told about its publication. */
export interface PublicationInfo {
  readonly topic: string;
  /** Its place in the log (publisher/cursor.ts); the same for every delivery. */
  readonly cursor: string;
  /** Id of the message that was published. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The subscription's id. */
  readonly subscription: string;
  /** The node that published it, if not this one; `id` and `at` above are then that node's. */
  readonly origin?: { readonly node: string; readonly cursor: string; readonly id: string };
}

/** What an action's code may do in the orchestrator: under its registrant's grant, narrowed by the action's `may`. */
export interface ActionScope {
  perform(name: string, input?: unknown): Promise<{ readonly execution: string; readonly output: unknown }>;
  apply(message: { readonly resource: string; readonly action: string; readonly data?: unknown }): Promise<unknown>;
}

/** One run of a task, as a protocol sees it. */
export interface Call<Configuration = unknown> {
  readonly task: Task;
  /** The output of `configSchema`, with secrets in place of their references. It must not be logged or returned. */
  readonly configuration: Configuration;
  /** The id of the execution or delivery. */
  readonly id: string;
  readonly input: unknown;
  /** An idempotency key for the outside system, the same for every attempt. */
  readonly key: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** A W3C `traceparent`, to be passed on to the outside system. */
  readonly traceparent: string | undefined;
  /** Set where the task is a receiver. */
  readonly publication: PublicationInfo | undefined;
  /** Aborted when the run is cancelled, its deadline passes, or the node stops. Whatever it returns after that is ignored. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** A scope of this orchestrator in the registrant's name, narrowed to the task's `may`. */
  readonly capstan: ActionScope;
}

/** A protocol. In the configurations that its methods get, secrets are references, except where `Resolved` says otherwise. */
export interface ProtocolDefinition<Schema extends z.ZodType = z.ZodType> {
  /** Lower case letters, digits and `-`. */
  readonly name: string;
  /** One line: what it talks to. */
  readonly summary?: string;
  /** Its own fault codes, unique among all protocols. */
  readonly faults?: FaultTable;
  /**
   * A closed object. It must accept its own output, because a configuration is stored as parsed, and parsed again at each use. A field for
   * a secret is `secret(z.string())`; one that may be a secret is `secretOr(z.string())`.
   */
  readonly configSchema: Schema;
  /** What is wrong with a configuration, as far as its schema cannot tell. */
  validateConfig?(configuration: z.output<Schema>): Fault | undefined;
  /**
   * The rights that a configuration needs, such as `file.read:/srv/*`. The registrant's grant must cover them, at registration and at each use.
   * Pure, because decisions call it too.
   */
  rights?(configuration: z.output<Schema>): readonly Right[];
  /** Finds out what must be known of a task before its registration: schemas, a digest. The kernel limits its time. */
  inspect?(configuration: z.output<Schema>, node: NodeInfo): Promise<Inspected | Fault>;
  /** Tests whether the outside system answers; a fault says why not. */
  testConnection?(configuration: Resolved<z.output<Schema>>, signal: AbortSignal): Promise<Fault | undefined>;
  /** Carries the call out. May answer without a promise. @throws FaultError that the caller sees unchanged; other errors become ACTION_FAILED */
  execute(call: Call<Resolved<z.output<Schema>>>): Awaitable<unknown>;
  start?(node: NodeInfo): Promise<void>;
  stop?(): Promise<void>;
}

/** Any protocol, where its configuration's type no longer matters. */
export type Protocol = ProtocolDefinition;

/** Infers a protocol's configuration from its schema. @throws TypeError where it is no valid protocol */
export function defineProtocol<Schema extends z.ZodType>(protocol: ProtocolDefinition<Schema>): Protocol {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(protocol.name)) {
    throw new TypeError(`defineProtocol: "${protocol.name}" cannot be a name: lower case letters, digits and -`);
  }
  return protocol as unknown as Protocol;
}
