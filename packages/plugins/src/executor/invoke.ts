// Carries an execution out: gives the call to its protocol, checks the output, and makes the outcome's message. Nothing here is asynchronous by
// itself: where the protocol answers at once, so does this.

import {
  type EffectHandler,
  type EffectRuntime,
  type Fault,
  fault,
  type Message,
  type OwedEffect,
  type Principal,
  type Right,
  siblingId,
} from "@capstan/orchestrator";
import { compileSchema, describeProblems } from "../registry/json-schema.ts";
import { type ActionRow, actionTable } from "../registry/schema.ts";
import { carry, type Ways } from "./elsewhere/carry.ts";
import type { Protocols, Run } from "./protocols.ts";
import { executionTable } from "./schema.ts";
import { plainFault } from "./task/plain-fault.ts";
import { plainOutput } from "./task/plain-output.ts";
import type { IsRetryable } from "./task/retryable.ts";

interface InvokeData {
  readonly execution: string;
  readonly input?: unknown;
}

export function invoke(protocols: Protocols, isRetryable: IsRetryable, ways: () => Ways | undefined): EffectHandler {
  return {
    carryOut(effect, runtime) {
      const { execution } = effect.data as InvokeData;
      const row = runtime.get(executionTable, execution);
      if (row?.elsewhere !== undefined) {
        return carry(ways(), execution, { ...row, elsewhere: row.elsewhere }, effect, runtime);
      }
      const action = row === undefined ? undefined : runtime.get(actionTable, row.action);
      if (row === undefined || action === undefined || action.revision !== row.revision) {
        const what = row === undefined ? execution : `${row.action}@${row.revision}`;
        return failed(
          execution,
          fault("ACTION_CHANGED", `${what} was updated or removed before it ran; perform it again`),
          false,
        );
      }
      try {
        const output = protocols.run(action, new ExecutionRun(execution, effect, runtime));
        if (!(output instanceof Promise)) return outcome(execution, action, output);
        return outcomeLater(execution, action, output, isRetryable);
      } catch (thrown) {
        return threw(execution, action, thrown, isRetryable);
      }
    },
    // The deadline is that of this attempt; `decide` says whether another attempt would be in time for the caller.
    failed: (effect, error) =>
      failed((effect.data as InvokeData).execution, error, error.code === "DEADLINE_EXCEEDED" || isRetryable(error)),
    lost: (effect) => message("lose", { execution: (effect.data as InvokeData).execution }),
  };
}

function outcomeLater(execution: string, action: ActionRow, output: Promise<unknown>, isRetryable: IsRetryable) {
  return output.then(
    (value) => outcome(execution, action, value),
    (thrown) => threw(execution, action, thrown, isRetryable),
  );
}

function threw(execution: string, action: ActionRow, thrown: unknown, isRetryable: IsRetryable): Message {
  const error = plainFault(thrown, action.name);
  return failed(execution, error, isRetryable(error));
}

function outcome(execution: string, action: ActionRow, output: unknown): Message {
  const plain = plainOutput(output, action.name);
  if ("code" in plain) return failed(execution, plain, false);
  const { value } = plain;
  const problems = compileSchema(action.output)(value);
  if (problems.length > 0) {
    const { message: text, details } = describeProblems(`${action.name}: its output`, problems);
    return failed(execution, fault("OUTPUT_INVALID", text, details), false);
  }
  return message("complete", value === undefined ? { execution } : { execution, output: value });
}

function failed(execution: string, error: Fault, retryable: boolean): Message {
  return message("fail", { execution, error, retryable });
}

function message(verb: string, data: unknown): Message {
  return { resource: "execution", action: verb, data };
}

/** An execution's attempt, as a run. Rarely used parts are made when they are first read. */
class ExecutionRun implements Run {
  readonly #effect: OwedEffect;
  readonly #runtime: EffectRuntime;

  constructor(
    readonly id: string,
    effect: OwedEffect,
    runtime: EffectRuntime,
  ) {
    this.#effect = effect;
    this.#runtime = runtime;
  }

  /** The input; for a retry it is not in the owing message, and so is kept in the row. */
  get input(): unknown {
    const { data, message } = this.#effect;
    return ("input" in (data as InvokeData) ? (data as InvokeData) : (message.data as InvokeData)).input;
  }

  get key(): string {
    return siblingId(this.id, "m");
  }

  get attempt(): number {
    return this.#effect.attempt;
  }

  get traceparent(): string | undefined {
    return this.#effect.traceparent;
  }

  get signal(): AbortSignal {
    return this.#runtime.signal;
  }

  get log() {
    return this.#runtime.log;
  }

  apply(asked: Message, as: Principal): Promise<unknown> {
    return this.#runtime.apply(asked, as);
  }

  allows(right: Right, as: Principal): Fault | undefined {
    return this.#runtime.allows(right, as);
  }
}
