// One effect's view of the orchestrator: what its handler may ask and read.

import type { Fault } from "../fault/fault.ts";
import type { Message, Principal } from "../message/message.ts";
import type { EffectRuntime, Logger, OwedEffect } from "../plugin/plugin.ts";
import type { Right } from "../plugin/token.ts";
import type { BaseTables, State } from "../state/state.ts";
import type { Table } from "../state/table.ts";

/** An effect that is being carried out, as far as its handler's view needs it. */
export interface Carried {
  /** As its handler is given it. */
  readonly told: OwedEffect;
  /** Where its handler reads rows until its entry is made. */
  readonly state: Pick<State, "get"> | undefined;
  abort: AbortController | undefined;
}

export interface RuntimeParts {
  readonly tables: BaseTables;
  readonly log: Logger;
  apply(message: Message, as: Principal, cause: OwedEffect, options?: { readonly key?: string }): Promise<unknown>;
  allows(right: Right, as: Principal): Fault | undefined;
}

/** The abort signal is made when it is first read: most effects never do. */
export class Runtime implements EffectRuntime {
  readonly #carried: Carried;
  readonly #parts: RuntimeParts;

  constructor(carried: Carried, parts: RuntimeParts) {
    this.#carried = carried;
    this.#parts = parts;
  }

  get signal(): AbortSignal {
    this.#carried.abort ??= new AbortController();
    return this.#carried.abort.signal;
  }

  get log(): Logger {
    return this.#parts.log;
  }

  async apply(...[message, as, options]: Parameters<EffectRuntime["apply"]>): Promise<unknown> {
    // The effect may run before its message's entry is made; what it sends must be decided after that.
    if (this.#carried.state !== undefined) await undefined;
    return this.#parts.apply(message, as, this.#carried.told, options);
  }

  allows(right: Right, as: Principal): Fault | undefined {
    return this.#parts.allows(right, as);
  }

  get<Row>(table: Table<Row>, key: string): Row | undefined {
    const { state } = this.#carried;
    return state === undefined ? (this.#parts.tables.get(table, key) as Row | undefined) : state.get(table, key);
  }
}
