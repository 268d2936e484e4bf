// The call that a protocol gets. Its scope and signal are made when first read: most tasks use neither.

import type { Message } from "@capstan/orchestrator";
import { narrow } from "../../clause.ts";
import type { Task } from "../../registry/schema.ts";
import type { ActionScope, Call } from "../protocol.ts";
import type { Run } from "../protocols.ts";
import { runLog } from "./run-log.ts";

export class TaskCall implements Call {
  readonly #run: Run;

  constructor(
    readonly task: Task,
    readonly configuration: unknown,
    run: Run,
    readonly input: unknown = run.input,
  ) {
    this.#run = run;
  }

  get id(): string {
    return this.#run.id;
  }

  get key(): string {
    return this.#run.key;
  }

  get attempt(): number {
    return this.#run.attempt;
  }

  get traceparent(): string | undefined {
    return this.#run.traceparent;
  }

  get publication() {
    return this.#run.publication;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get log() {
    return runLog(this.#run.log, this.#run.id);
  }

  get capstan(): ActionScope {
    const { registrant, may } = this.task;
    const as = { ...registrant, may: narrow(may, registrant.may) };
    const apply = (one: Message): Promise<unknown> => this.#run.apply(one, as);
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
