// Makes the protocols of a node: checks registrations, and runs tasks. A compiled task lives as long as its row (compiled-task.ts). A plain run
// adds nothing asynchronous of its own.

import {
  type Fault,
  FaultError,
  fault,
  type NodeInfo,
  nearest,
  printable,
  type Right,
  type Timers,
} from "@capstan/orchestrator";
import type { Inspected, Task } from "../../registry/schema.ts";
import type { Protocol } from "../protocol.ts";
import type { Protocols } from "../protocols.ts";
import { type SecretSources, type Secrets, secretSources } from "../secret/secret-sources.ts";
import { createTransformer } from "../transform/transformer.ts";
import { type Compiled, compileTask, type Described, flawOf, named } from "./compiled-task.ts";
import { faultsOf } from "./faults-of.ts";
import { retryableBy } from "./retryable.ts";
import { runTask } from "./run-task.ts";
import { TaskCall } from "./task-call.ts";
import { textOf } from "./thrown.ts";

export interface ProtocolsOptions {
  /** Where secrets come from, beside `env:` and `file:`. */
  readonly secrets?: SecretSources | undefined;
  /** A monotonic clock in milliseconds, for circuit breakers. Default: the system's. */
  readonly now?: (() => number) | undefined;
  readonly timers?: Timers | undefined;
}

/** The protocols as the executor has them; `stop` stops them. */
export interface RunningProtocols extends Protocols {
  readonly list: readonly Protocol[];
  readonly secrets: Secrets;
  /** The compiled task. @throws FaultError PROTOCOL_UNKNOWN */
  compile(task: Described): Compiled;
  isRetryable(fault: Pick<Fault, "code">): boolean;
  start(node: NodeInfo): Promise<void>;
  stop(): Promise<void>;
}

/** @throws TypeError where two protocols, or two of their fault codes, have the same name */
export function createProtocols(list: readonly Protocol[], options: ProtocolsOptions = {}): RunningProtocols {
  const { now = () => performance.now(), timers } = options;
  const byName = new Map<string, Protocol>();
  for (const protocol of list) {
    if (byName.has(protocol.name)) throw new TypeError(`executor: two protocols are named "${protocol.name}"`);
    byName.set(protocol.name, protocol);
  }
  const names = [...byName.keys()];
  const secrets = secretSources(options.secrets);
  const transformer = createTransformer(timers === undefined ? {} : { timers });
  const isRetryable = retryableBy(list);
  const parts = { secrets, transformer, isRetryable };
  const known = new WeakMap<Task, Compiled>();

  function compile(task: Described): Compiled {
    const protocol = byName.get(task.protocol);
    if (protocol === undefined) throw new FaultError(unknown(task.name, task.protocol, names));
    return compileTask(task, protocol, secrets, now);
  }

  function compiled(task: Task): Compiled {
    let found = known.get(task);
    if (found === undefined) {
      if (!byName.has(task.protocol)) throw new FaultError(unconfigured(task));
      found = compile(task);
      known.set(task, found);
    }
    return found;
  }

  return {
    names,
    faults: faultsOf(list),
    list,
    secrets,
    isRetryable,
    compile,
    async inspect(task, node) {
      const protocol = byName.get(task.protocol);
      // `refused` reports an unknown protocol.
      if (protocol === undefined) return {};
      const found = compile(task);
      const flaw = flawOf(task.name, found) ?? (await transformFlaw(task));
      if (flaw !== undefined) return flaw;
      const inspected = await inspectedBy(protocol, task.name, found.configuration, node);
      return "code" in inspected ? inspected : { configuration: found.configuration, ...inspected };
    },
    refused(task, authority) {
      if (!byName.has(task.protocol)) return unknown(task.name, task.protocol, names);
      const found = compile(task);
      return found.flaw ?? firstRefused(found.rights, (right) => authority.allows(right), task.name);
    },
    run(task, run) {
      const found = compiled(task);
      if (found.plain) {
        if (found.flaw !== undefined) throw new FaultError(found.flaw);
        return found.protocol.execute(new TaskCall(task, found.configuration, run));
      }
      const refused =
        flawOf(task.name, found) ??
        firstRefused(found.rights, (right) => run.allows(right, task.registrant), task.name);
      if (refused !== undefined) throw new FaultError(refused);
      if (found.references.length === 0 && found.breaker === undefined && task.transform === undefined) {
        return found.protocol.execute(new TaskCall(task, found.configuration, run));
      }
      return runTask(found, task, run, parts);
    },
    async start(node) {
      for (const protocol of list) await protocol.start?.(node);
    },
    async stop() {
      transformer.stop();
      for (const protocol of list) await protocol.stop?.();
    },
  };

  async function transformFlaw({ name, transform }: Pick<Task, "name" | "transform">): Promise<Fault | undefined> {
    for (const side of ["input", "output"] as const) {
      const expression = transform?.[side];
      const problem = expression === undefined ? undefined : await transformer.check(expression);
      if (problem !== undefined) return fault("CONFIG_INVALID", `${name}: transform.${side}: ${problem}`);
    }
    return undefined;
  }
}

/** Inspects a task. What the protocol answers or throws becomes something that the log can keep. */
async function inspectedBy(
  protocol: Protocol,
  name: string,
  configuration: unknown,
  node: NodeInfo,
): Promise<Inspected | Fault> {
  try {
    const found = (await protocol.inspect?.(configuration as never, node)) ?? {};
    // A schema made by zod has more than JSON can hold.
    return "code" in found ? found : (JSON.parse(JSON.stringify(found)) as Inspected);
  } catch (thrown) {
    if (thrown instanceof FaultError) return thrown.toFault();
    return fault("CONFIG_INVALID", `${name}: ${protocol.name} cannot look at it: ${textOf(thrown)}`);
  }
}

/** The fault for the first right that is missing; `undefined` where none is. */
export function firstRefused(rights: readonly Right[], asked: (right: Right) => Fault | undefined, name: string) {
  for (const right of rights) {
    const refused = asked(right);
    if (refused !== undefined) return named(name, refused);
  }
  return undefined;
}

function unknown(name: string, protocol: string, names: readonly string[]): Fault {
  const suggestion = nearest(protocol, names);
  const hint = suggestion === undefined ? `there are ${names.join(", ")}` : `did you mean "${suggestion}"?`;
  return fault("PROTOCOL_UNKNOWN", `${name}: no protocol "${printable(protocol)}"; ${hint}`);
}

function unconfigured({ name, protocol }: Task): Fault {
  return fault("PROTOCOL_UNKNOWN", `${name}: no protocol "${printable(protocol)}" is configured any more`);
}
