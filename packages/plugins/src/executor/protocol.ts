// How to talk to one kind of outside system. An action or a receiver names a protocol and configures it; the configuration is
// checked when it is registered and again each time it is used, and the protocol executes.

import type { Awaitable, Fault, FaultTable, Logger, NodeInfo, Right } from "@capstan/orchestrator";
import type { z } from "zod";
import type { Inspected, Task } from "../registry/schema.ts";
import type { ActionScope } from "./module/define-action.ts";
import type { Resolved } from "./secret.ts";

/** What a receiver is told of the publication that it was handed. */
export interface PublicationInfo {
  readonly topic: string;
  /** Where it stands: `<entry>.<log>`. The same for every delivery of it. */
  readonly cursor: string;
  /** Id of the message that was published. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The subscription that it came by. */
  readonly subscription: string;
  /** Where it was published, if not here: `id` and `at` are that node's. */
  readonly origin?: { readonly node: string; readonly cursor: string; readonly id: string };
}

/** One run of a task, as a protocol sees it. */
export interface Call<Configuration = unknown> {
  readonly task: Task;
  /** As `configSchema` gives it, with secrets in the place of their references. Nothing of it may be told to anybody. */
  readonly configuration: Configuration;
  /** The execution, or the delivery. */
  readonly id: string;
  readonly input: unknown;
  /** The same for every attempt: what an outside system can tell repeats by. */
  readonly key: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** A W3C `traceparent`, to be passed on to whom the protocol talks to. */
  readonly traceparent: string | undefined;
  /** Set where the task is a receiver. */
  readonly publication: PublicationInfo | undefined;
  /** Aborted when it is cancelled, its deadline passes, or the node stops. What goes on after that is nobody's. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The orchestrator, as the task's registrant, narrowed to the task's `may`. */
  readonly capstan: ActionScope;
}

/** A configuration before it is used: secrets are references in it. */
export interface ProtocolDefinition<Schema extends z.ZodType = z.ZodType> {
  /** Lower case letters, digits and `-`. */
  readonly name: string;
  /** One line: what it talks to. */
  readonly summary?: string;
  /** Codes of its own, unique among all. */
  readonly faults?: FaultTable;
  /**
   * A closed object, which takes what it gives: it is kept as the schema gives it, and parsed again at each use. Where a secret
   * stands, the schema is `secret(z.string())`; where a text may be one, `secretOr(z.string())`.
   */
  readonly configSchema: Schema;
  /** What is wrong with a configuration that its schema cannot say. */
  validateConfig?(configuration: z.output<Schema>): Fault | undefined;
  /**
   * What a configuration needs that only a grant can give: `file.read:/srv/*`. Asked at registration and at each use; pure, because
   * decisions ask it too.
   */
  rights?(configuration: z.output<Schema>): readonly Right[];
  /** What is to be known of a task before it is registered: schemas, digest. Async, bounded by the kernel. */
  inspect?(configuration: z.output<Schema>, node: NodeInfo): Promise<Inspected | Fault>;
  /** Whether the outside system answers: a fault that says why not. Secrets are in their places. */
  testConnection?(configuration: Resolved<z.output<Schema>>, signal: AbortSignal): Promise<Fault | undefined>;
  /** Carries the call out. May answer at once. @throws FaultError for what the caller should see as it is. */
  execute(call: Call<Resolved<z.output<Schema>>>): Awaitable<unknown>;
  start?(node: NodeInfo): Promise<void>;
  stop?(): Promise<void>;
}

/** Any protocol, where its configuration's type no longer matters. */
export type Protocol = ProtocolDefinition;

/** Infers a protocol's configuration from its schema. Throws a TypeError where it is none. */
export function defineProtocol<Schema extends z.ZodType>(protocol: ProtocolDefinition<Schema>): Protocol {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(protocol.name)) {
    throw new TypeError(`defineProtocol: "${protocol.name}" cannot be a name: lower case letters, digits and -`);
  }
  return protocol as unknown as Protocol;
}
