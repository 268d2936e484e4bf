// A task compiled for running, once for each row: its parsed configuration, the rights and secrets that it needs.

import { type Fault, fault, faultOf, parse, printable, type Right } from "@capstan/orchestrator";
import type { Task } from "../../registry/schema.ts";
import type { Protocol } from "../protocol.ts";
import { referencesIn, rightOf } from "../secret/secret.ts";
import type { Secrets } from "../secret/secret-sources.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

export interface Compiled {
  readonly protocol: Protocol;
  readonly configuration: unknown;
  /** The rights that the registrant's grant must cover: the protocol's, and one for each secret. */
  readonly rights: readonly Right[];
  /** References to secrets in the configuration. */
  readonly references: readonly string[];
  readonly breaker: CircuitBreaker | undefined;
  /** Whether only the protocol's own work is to be done: the task has no right, secret, transform, breaker or check of its own. */
  readonly plain: boolean;
  /** Why the task cannot be run. */
  readonly flaw: Fault | undefined;
}

/** The fields of a task that are compiled. */
export type Described = Pick<Task, "name" | "protocol" | "configuration" | "transform" | "breaker">;

export function compileTask(task: Described, protocol: Protocol, secrets: Secrets, now: () => number): Compiled {
  try {
    const configuration = parsed(task.name, protocol, task.configuration);
    const references = referencesIn(configuration);
    const rights = [...(protocol.rights?.(configuration) ?? []), ...references.map(rightOf)];
    const { name, transform, breaker } = task;
    const transforms = transform?.input !== undefined || transform?.output !== undefined;
    return {
      ...{ protocol, configuration, references, rights },
      breaker: breaker === undefined ? undefined : new CircuitBreaker(name, breaker, now),
      plain: rights.length === 0 && !transforms && breaker === undefined && protocol.validateConfig === undefined,
      flaw: named(
        task.name,
        references.map((one) => secrets.flaw(one)).find((found) => found !== undefined),
      ),
    };
  } catch (thrown) {
    const unusable = { configuration: undefined, references: [], rights: [], breaker: undefined, plain: false };
    return { protocol, ...unusable, flaw: faultOf(thrown) };
  }
}

/** Parses a configuration by the protocol's schema. @throws FaultError CONFIG_INVALID */
export function parsed(name: string, { name: protocol, configSchema }: Protocol, configuration: unknown): unknown {
  return parse(`${name}: ${protocol}`, configSchema, configuration ?? {}, "CONFIG_INVALID");
}

/** Why the task cannot be run now; `validateConfig` is asked again, because its answer may have changed. */
export function flawOf(name: string, { protocol, configuration, flaw }: Compiled): Fault | undefined {
  return flaw ?? ownFlaw(name, protocol, configuration);
}

/** Asks `validateConfig`. An operator's protocol may throw where it should answer. */
export function ownFlaw(name: string, protocol: Protocol, configuration: unknown): Fault | undefined {
  try {
    return protocol.validateConfig?.(configuration);
  } catch (thrown) {
    const why = printable(String((thrown as { message?: unknown } | undefined)?.message ?? thrown), 200);
    return fault("CONFIG_INVALID", `${name}: ${protocol.name}: ${why}`);
  }
}

/** The fault with the task's name in front of its text. */
export function named<Found extends Fault | undefined>(name: string, found: Found): Found {
  return found === undefined || found.message.startsWith(`${name}: `)
    ? found
    : { ...found, message: `${name}: ${found.message}` };
}
