// Who waits for what: callers of messages that were answered `pending`, by message id. A restart forgets the callers, not
// the messages: `message.attach` waits again.

import { type Fault, FaultError } from "../fault/fault.ts";

/** What came of a message. */
export type Outcome =
  | { readonly kind: "done"; readonly data: unknown }
  | { readonly kind: "failed"; readonly error: Fault };

/** The outcome as a caller meets it. */
export function unwrap(outcome: Outcome): unknown {
  if (outcome.kind === "failed") throw new FaultError(outcome.error);
  return outcome.data;
}

interface Waiter {
  readonly seq: number;
  outcome: Outcome | undefined;
  callers: ((outcome: Outcome) => void)[] | undefined;
}

export class Waiters {
  readonly #waiters = new Map<string, Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** The message of entry `seq` is pending from now on. */
  open(id: string, seq: number): void {
    this.#waiters.set(id, { seq, outcome: undefined, callers: undefined });
  }

  /** The entry of a message that is pending since this process started. */
  seqOf(id: string): number | undefined {
    return this.#waiters.get(id)?.seq;
  }

  /** What came of it in the meantime; from here on a settlement is for those who wait, and is not kept. */
  take(id: string): Outcome | undefined {
    const waiter = this.#waiters.get(id);
    if (waiter === undefined) return undefined;
    if (waiter.outcome === undefined) waiter.callers ??= [];
    else this.#waiters.delete(id);
    return waiter.outcome;
  }

  settle(id: string, outcome: Outcome): void {
    const waiter = this.#waiters.get(id);
    if (waiter === undefined) return;
    waiter.outcome = outcome;
    if (waiter.callers === undefined) return;
    this.#waiters.delete(id);
    for (const caller of waiter.callers) caller(outcome);
  }

  /** Calls back with the outcome once there is one. Answers how to stop waiting. */
  wait(id: string, caller: (outcome: Outcome) => void): () => void {
    let waiter = this.#waiters.get(id);
    if (waiter === undefined) {
      waiter = { seq: 0, outcome: undefined, callers: undefined };
      this.#waiters.set(id, waiter);
    }
    waiter.callers ??= [];
    const { callers } = waiter;
    callers.push(caller);
    return () => {
      const index = callers.indexOf(caller);
      if (index >= 0) callers.splice(index, 1);
      if (callers.length === 0 && waiter.seq === 0) this.#waiters.delete(id);
    };
  }

  /** A held message is decided again under another id: whoever waits for the first waits for the second. */
  forward(from: string, to: string): void {
    const already = this.take(to);
    if (already === undefined) this.wait(to, (outcome) => this.settle(from, outcome));
    else this.settle(from, already);
  }

  /** The node stops: nobody is told more here. What was accepted stays so. */
  stop(error: Fault): void {
    for (const id of [...this.#waiters.keys()]) this.settle(id, { kind: "failed", error });
  }

  /** Messages after `durable` never happened. */
  undo(durable: number, error: Fault): void {
    for (const [id, waiter] of [...this.#waiters]) {
      if (waiter.seq <= durable) continue;
      this.#waiters.delete(id);
      for (const caller of waiter.callers ?? []) caller({ kind: "failed", error });
    }
  }
}
