// Carrying an execution out: its protocol is given the call, and what comes of it is checked and becomes the outcome. A
// protocol that answers at once is answered at once; nothing here is asynchronous by itself.

import {
  type EffectHandler,
  type EffectRuntime,
  type Fault,
  FaultError,
  fault,
  type Message,
  printable,
  siblingId,
} from "@capstan/orchestrator";
import { narrow } from "../clause.ts";
import { compileSchema, describeProblems } from "../registry/json-schema.ts";
import { type ActionRow, actionTable } from "../registry/schema.ts";
import type { ActionScope } from "./module/define-action.ts";
import type { Call, Protocol } from "./protocol.ts";
import { isRetryable } from "./retryable.ts";
import { executionTable } from "./schema.ts";

/** An output is an entry's part, held in memory by whoever waits for it. */
const MOST_OUTPUT_CHARACTERS = 4 * 1024 * 1024;

interface InvokeData {
  readonly execution: string;
  readonly input?: unknown;
}

export function invoke(protocols: ReadonlyMap<string, Protocol>): EffectHandler {
  return {
    carryOut(effect, runtime) {
      const { execution } = effect.data as InvokeData;
      const row = runtime.get(executionTable, execution);
      const action = row === undefined ? undefined : runtime.get(actionTable, row.action);
      if (row === undefined || action === undefined || action.revision !== row.revision) {
        const what = row === undefined ? execution : `${row.action}@${row.revision}`;
        return failed(
          execution,
          fault("ACTION_CHANGED", `${what} was updated or removed before it ran; perform it again`),
          false,
        );
      }
      const protocol = protocols.get(action.protocol);
      if (protocol === undefined) return failed(execution, unconfigured(action), false);
      // A retry's own message does not say what the first was asked.
      const { input: asked } = (
        "input" in (effect.data as InvokeData) ? effect.data : effect.message.data
      ) as InvokeData;
      try {
        const output = protocol.execute(new ActionCall(action, execution, asked, runtime));
        if (!(output instanceof Promise)) return outcome(execution, action, output);
        return output.then(
          (value) => outcome(execution, action, value),
          (thrown) => threw(execution, action, thrown),
        );
      } catch (thrown) {
        return threw(execution, action, thrown);
      }
    },
    // The deadline is this attempt's; whether another would come in time for the caller is for `decide` to say.
    failed: (effect, error) =>
      failed((effect.data as InvokeData).execution, error, error.code === "DEADLINE_EXCEEDED" || isRetryable(error)),
    lost: (effect) => message("lose", { execution: (effect.data as InvokeData).execution }),
  };
}

function outcome(execution: string, action: ActionRow, output: unknown): Message {
  const plain = output === undefined ? { value: undefined } : plainly(output, action.name);
  if ("code" in plain) return failed(execution, plain, false);
  const { value } = plain;
  const problems = compileSchema(action.output)(value);
  if (problems.length > 0) {
    const { message: text, details } = describeProblems(`${action.name}: its output`, problems);
    return failed(execution, fault("OUTPUT_INVALID", text, details), false);
  }
  return message("complete", value === undefined ? { execution } : { execution, output: value });
}

/** Plain data as the log will have it: what a schema is asked about is what is kept. */
function plainly(output: unknown, name: string): { readonly value: unknown } | Fault {
  let text: string | undefined;
  try {
    text = JSON.stringify(output);
  } catch (thrown) {
    return fault("OUTPUT_INVALID", `${name}: the output is no JSON: ${textOf(thrown)}`);
  }
  // A function, a symbol, or what has a `toJSON` that gives none.
  if (text === undefined) return fault("OUTPUT_INVALID", `${name}: the output is no JSON: ${typeof output}`);
  if (text.length > MOST_OUTPUT_CHARACTERS) {
    const most = `${MOST_OUTPUT_CHARACTERS} at most`;
    return fault("OUTPUT_TOO_LARGE", `${name}: an output of ${text.length} characters; ${most}`);
  }
  // A string comes back as it is; not so a number: NaN is null.
  return { value: typeof output === "string" ? output : (JSON.parse(text) as unknown) };
}

function threw(execution: string, action: ActionRow, thrown: unknown): Message {
  const error =
    thrown instanceof FaultError
      ? thrown.toFault()
      : fault("ACTION_FAILED", `${action.name}: ${textOf(thrown) || "it threw"}`);
  return failed(execution, error, isRetryable(error));
}

/** What was thrown may be anything, and need not have a text. */
function textOf(thrown: unknown): string {
  try {
    return printable(String(thrown instanceof Error ? thrown.message : thrown));
  } catch {
    return "";
  }
}

function unconfigured(action: ActionRow): Fault {
  return fault(
    "PROTOCOL_UNKNOWN",
    `${action.name}: no protocol "${printable(action.protocol)}" is configured any more`,
  );
}

function failed(execution: string, error: Fault, retryable: boolean): Message {
  return message("fail", { execution, error, retryable });
}

function message(verb: string, data: unknown): Message {
  return { resource: "execution", action: verb, data };
}

/** What a protocol is given. Scope and signal are made when they are asked for: most actions use neither. */
class ActionCall implements Call {
  readonly #runtime: EffectRuntime;

  constructor(
    readonly action: ActionRow,
    readonly execution: string,
    readonly input: unknown,
    runtime: EffectRuntime,
  ) {
    this.#runtime = runtime;
  }

  get key(): string {
    return siblingId(this.execution, "m");
  }

  get signal(): AbortSignal {
    return this.#runtime.signal;
  }

  get log() {
    return this.#runtime.log;
  }

  get capstan(): ActionScope {
    const { registrant, may } = this.action;
    const as = { ...registrant, may: narrow(may, registrant.may) };
    const apply = (one: Message): Promise<unknown> => this.#runtime.apply(one, as);
    return {
      apply: (one) => apply(one as Message),
      perform: (name, input) =>
        apply({
          resource: "action",
          action: "perform",
          data: input === undefined ? { name } : { name, input },
        }) as ReturnType<ActionScope["perform"]>,
    };
  }
}
