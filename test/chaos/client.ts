// One of the clients: asks for one thing after another, each under a key of its own, and keeps a ledger of what it was told.
// What was not acknowledged when the connection broke is asked again under the same key.

import { siblingId } from "@capstan/orchestrator";
import { type RemoteScope, remoteFault } from "@capstan/orchestrator/client";
import type { Input, Output } from "./protocols.ts";
import type { SeededRandom } from "./seeded-random.ts";

export type ActionName = "sync" | "async" | "once";

/** A line of a client's ledger. */
export interface Asked {
  readonly key: string;
  readonly action: ActionName;
  readonly input: Input;
  acknowledged: Acknowledged | undefined;
  /** The execution of which the client was told that nobody knows whether it ran. */
  ambiguous: string | undefined;
  /** It was told that nothing was done, and did not ask again. */
  gaveUp: boolean;
}

export interface Acknowledged {
  readonly execution: string;
  readonly output: Output;
}

export interface Observed {
  acknowledged(asked: Asked): void;
  /** What a correct server never does. */
  violation(text: string): void;
  /** The log could not be written: resolves to whether to ask again, which it must where it is not `alone`. Without it, a violation. */
  unavailable?(asked: Asked, alone: boolean): Promise<boolean>;
}

/** How long the text of an input is, by chance. */
export type TextLength = (random: SeededRandom) => number;

/** How often a call is made twice at once, under one key. */
const TWINS = 0.1;
const MIX: readonly ActionName[] = ["sync", "sync", "async", "once"];

export class Client {
  readonly ledger: Asked[] = [];
  readonly #name: string;
  readonly #random: SeededRandom;
  readonly #observed: Observed;
  readonly #length: TextLength;
  #open: Asked | undefined;
  #count = 0;

  constructor(name: string, random: SeededRandom, observed: Observed, length: TextLength = (by) => by.upTo(200)) {
    this.#name = name;
    this.#random = random;
    this.#observed = observed;
    this.#length = length;
  }

  /** What it was not told the outcome of. */
  get open(): Asked | undefined {
    return this.#open;
  }

  /** Asks until the connection breaks. */
  async work(scope: RemoteScope): Promise<void> {
    for (;;) {
      this.#open ??= this.#next();
      if (!(await this.#ask(scope, this.#open))) return;
      this.#open = undefined;
    }
  }

  /** Asks again for what is open. */
  async settle(scope: RemoteScope): Promise<void> {
    if (this.#open !== undefined && (await this.#ask(scope, this.#open))) this.#open = undefined;
  }

  /** Repeats what it was last acknowledged, and must be told the same. */
  async repeatLast(scope: RemoteScope): Promise<void> {
    const last = this.ledger.findLast(({ acknowledged }) => acknowledged !== undefined);
    if (last !== undefined) await this.#call(scope, last, false);
  }

  #next(): Asked {
    const key = `${this.#name}-${++this.#count}`;
    const action = this.#random.pick(MIX);
    const input = { key, text: "x".repeat(this.#length(this.#random)) };
    const asked: Asked = { key, action, input, acknowledged: undefined, ambiguous: undefined, gaveUp: false };
    this.ledger.push(asked);
    return asked;
  }

  /** Answers whether the call has ended, in whatever way. */
  async #ask(scope: RemoteScope, asked: Asked): Promise<boolean> {
    const twins = this.#random.next() < TWINS ? 2 : 1;
    const ended = await Promise.all(Array.from({ length: twins }, () => this.#call(scope, asked, twins === 1)));
    return ended.includes(true);
  }

  /** @param alone nobody else asks under this key */
  async #call(scope: RemoteScope, asked: Asked, alone: boolean): Promise<boolean> {
    const { key, action, input } = asked;
    let told: Acknowledged;
    try {
      told = (await scope.action?.perform?.({ name: action, input }, { key })) as Acknowledged;
    } catch (thrown) {
      const { unavailable } = this.#observed;
      if (unavailable === undefined || remoteFault(thrown).code !== "LOG_UNAVAILABLE")
        return this.#failed(asked, thrown);
      if (await unavailable(asked, alone)) return this.#call(scope, asked, alone);
      asked.gaveUp = true;
      return true;
    }
    const before = asked.acknowledged;
    if (before === undefined) {
      asked.acknowledged = told;
      this.#observed.acknowledged(asked);
      if (asked.ambiguous !== undefined) this.#observed.violation(`${key}: first told ambiguous, then an output`);
    } else if (!Bun.deepEquals(before, told)) {
      const both = `${JSON.stringify(before)}, then ${JSON.stringify(told)}`;
      this.#observed.violation(`${key}: acknowledged twice, differently: ${both}`);
    }
    return true;
  }

  #failed(asked: Asked, thrown: unknown): boolean {
    const { code, message, id } = remoteFault(thrown);
    if (code === "UNREACHABLE") return false;
    if (code !== "EXECUTION_AMBIGUOUS") this.#observed.violation(`${asked.key}: ${code}: ${message}`);
    else if (asked.action !== "once") this.#observed.violation(`${asked.key}: idempotent, and yet ambiguous`);
    else if (asked.acknowledged !== undefined) this.#observed.violation(`${asked.key}: acknowledged, then ambiguous`);
    else asked.ambiguous = id === undefined ? "?" : siblingId(id, "x");
    return true;
  }
}
