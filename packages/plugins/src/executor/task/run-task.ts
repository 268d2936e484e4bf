// One run of a task that needs more than its protocol's own work: secrets are put in, input and output are transformed, the circuit breaker is
// asked, and secrets are redacted from everything that leaves the run.

import { type Fault, FaultError, type Message, type Principal, type Right } from "@capstan/orchestrator";
import type { Task } from "../../registry/schema.ts";
import type { Protocol } from "../protocol.ts";
import type { Run } from "../protocols.ts";
import { type Redaction, redaction } from "../secret/redaction.ts";
import { withSecrets, withSecretsPut } from "../secret/secret.ts";
import type { Secrets } from "../secret/secret-sources.ts";
import type { Transformer } from "../transform/transformer.ts";
import { NotRun, type Trial } from "./circuit-breaker.ts";
import { type Compiled, named, parsed } from "./compiled-task.ts";
import { plainOutput } from "./plain-output.ts";
import { TaskCall } from "./task-call.ts";
import { thrownFault } from "./thrown.ts";

export interface RunParts {
  readonly secrets: Secrets;
  readonly transformer: Transformer;
  isRetryable(fault: Pick<Fault, "code">): boolean;
}

export async function runTask(found: Compiled, task: Task, run: Run, parts: RunParts): Promise<unknown> {
  const trial = found.breaker?.enter();
  if (trial !== undefined && "code" in trial) throw new NotRun(trial);
  try {
    const allows = (right: Right) => run.allows(right, task.registrant);
    const { configuration, clean } = await resolved(found, task.name, allows, run.signal, parts.secrets);
    try {
      const input = await transformed(task, "input", run.input, run, parts);
      const call = new TaskCall(task, configuration, clean === undefined ? run : new CleanRun(run, clean), input);
      const output = await tried(found.protocol, call, trial, parts);
      if (clean === undefined && task.transform?.output === undefined) return output;
      const plain = plainOutput(output, task.name);
      if ("code" in plain) throw new FaultError(plain);
      return await transformed(
        task,
        "output",
        clean === undefined ? plain.value : clean.value(plain.value),
        run,
        parts,
      );
    } catch (thrown) {
      throw clean === undefined ? thrown : cleanly(thrown, task.name, clean);
    }
  } finally {
    // A run that did not reach its protocol, or was cancelled, tells the breaker nothing.
    trial?.abandoned();
  }
}

/** The configuration with its secrets, and the redaction that keeps them inside the run. @throws FaultError */
export async function resolved(
  { references, configuration, protocol }: Compiled,
  name: string,
  allows: (right: Right) => Fault | undefined,
  signal: AbortSignal,
  secrets: Secrets,
): Promise<{ readonly configuration: unknown; readonly clean: Redaction | undefined }> {
  if (references.length === 0) return { configuration, clean: undefined };
  const read = new Map<string, string>();
  try {
    for (const reference of references) read.set(reference, await secrets.read(reference, allows, signal));
  } catch (thrown) {
    throw thrown instanceof FaultError ? new FaultError(named(name, thrown.toFault())) : thrown;
  }
  const clean = redaction(read);
  try {
    const text = withSecrets(configuration, (reference) => read.get(reference) as string);
    // The secret itself must fit the schema too.
    return { configuration: withSecretsPut(() => parsed(name, protocol, text)), clean };
  } catch (thrown) {
    throw cleanly(thrown, name, clean);
  }
}

/** The thrown error as a fault, with secrets redacted. */
export function cleanly(thrown: unknown, name: string, clean: Redaction): FaultError {
  return new FaultError(clean.fault(thrownFault(thrown, name)));
}

async function transformed(
  { name, transform }: Task,
  side: "input" | "output",
  value: unknown,
  { id, key, attempt, publication, signal }: Run,
  { transformer }: RunParts,
): Promise<unknown> {
  const expression = transform?.[side];
  if (expression === undefined) return value;
  try {
    return await transformer.evaluate(expression, value, { id, key, attempt, publication }, signal);
  } catch (thrown) {
    if (!(thrown instanceof FaultError) || thrown.code !== "TRANSFORM_FAILED") throw thrown;
    throw new FaultError({ ...thrown.toFault(), message: `${name}: transform.${side}: ${thrown.message}` });
  }
}

/** Executes, and tells the breaker the result: retryable faults open it. */
async function tried(protocol: Protocol, call: TaskCall, trial: Trial | undefined, { isRetryable }: RunParts) {
  const { signal } = call;
  if (signal.aborted) throw signal.reason;
  if (trial === undefined) return protocol.execute(call);
  const told = (thrown: unknown): void => {
    if (!(thrown instanceof FaultError) || thrown.code === "DEADLINE_EXCEEDED" || isRetryable(thrown)) trial.failed();
    else trial.abandoned();
  };
  const aborted = () => told(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    const output = await protocol.execute(call);
    trial.succeeded();
    return output;
  } catch (thrown) {
    told(thrown);
    throw thrown;
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}

/** A run from whose log lines and messages secrets are redacted. */
class CleanRun implements Run {
  readonly #run: Run;
  readonly #clean: Redaction;

  constructor(run: Run, clean: Redaction) {
    this.#run = run;
    this.#clean = clean;
  }

  get id() {
    return this.#run.id;
  }

  get input() {
    return this.#run.input;
  }

  get key() {
    return this.#run.key;
  }

  get attempt() {
    return this.#run.attempt;
  }

  get traceparent() {
    return this.#run.traceparent;
  }

  get publication() {
    return this.#run.publication as NonNullable<Run["publication"]>;
  }

  get signal() {
    return this.#run.signal;
  }

  get log() {
    return this.#clean.log(this.#run.log);
  }

  apply({ resource, action, data }: Message, as: Principal): Promise<unknown> {
    const { text, value } = this.#clean;
    return this.#run.apply({ resource: text(resource), action: text(action), data: value(data) }, as);
  }

  allows(right: Right, as: Principal): Fault | undefined {
    return this.#run.allows(right, as);
  }
}
