// The callers that wait for outcomes of pending messages, by message id. They are called back once the settling entry is durable, and go on
// waiting if it is undone. A restart forgets the callers but not the messages: `message.attach` waits again.

import { type Fault, FaultError } from "../fault/fault.ts";

/** What came of a message. */
export type Outcome =
  | { readonly kind: "done"; readonly data: unknown }
  | { readonly kind: "failed"; readonly error: Fault };

/** The outcome's data. @throws FaultError where it failed */
export function unwrap(outcome: Outcome): unknown {
  if (outcome.kind === "failed") throw new FaultError(outcome.error);
  return outcome.data;
}

interface Waiter {
  readonly seq: number;
  outcome: Outcome | undefined;
  /** The entry that settles it; 0 where that cannot be undone. */
  by: number;
  callers: ((outcome: Outcome) => void)[] | undefined;
}

export class Waiters {
  readonly #waiters = new Map<string, Waiter>();
  /** Ids of messages that were settled by entries that are not durable yet. */
  readonly #unsure = new Set<string>();
  #durable = 0;

  get size(): number {
    return this.#waiters.size;
  }

  /** The message of entry `seq` is pending from now on. */
  open(id: string, seq: number): void {
    this.#waiters.set(id, { seq, outcome: undefined, by: 0, callers: undefined });
  }

  /** The entry of a message that is pending since this process started. */
  seqOf(id: string): number | undefined {
    return this.#waiters.get(id)?.seq;
  }

  /** The outcome, if there is one already. From now on an outcome goes to those who wait, and is not kept for a later `take`. */
  take(id: string): Outcome | undefined {
    const waiter = this.#waiters.get(id);
    if (waiter === undefined) return undefined;
    if (waiter.outcome === undefined) waiter.callers ??= [];
    else this.#waiters.delete(id);
    return waiter.outcome;
  }

  /** Tells the waiting callers the outcome. @param by the entry that settles it; default: the outcome cannot be undone */
  settle(id: string, outcome: Outcome, by = 0): void {
    const waiter = this.#waiters.get(id);
    if (waiter === undefined) return;
    waiter.outcome = outcome;
    waiter.by = by;
    if (waiter.callers === undefined) return;
    if (by > this.#durable && waiter.callers.length > 0) this.#unsure.add(id);
    else this.#tell(id, waiter, outcome);
  }

  #tell(id: string, { callers = [] }: Waiter, outcome: Outcome): void {
    this.#waiters.delete(id);
    this.#unsure.delete(id);
    for (const caller of callers) caller(outcome);
  }

  /** Entries up to `durable` are durable: whoever waited for what they settled is told. */
  committed(durable: number): void {
    this.#durable = durable;
    for (const id of this.#unsure) {
      const waiter = this.#waiters.get(id) as Waiter;
      if (waiter.by <= durable) this.#tell(id, waiter, waiter.outcome as Outcome);
    }
  }

  /** Calls back with the outcome once there is one. Answers how to stop waiting. */
  wait(id: string, caller: (outcome: Outcome) => void): () => void {
    let waiter = this.#waiters.get(id);
    if (waiter === undefined) {
      waiter = { seq: 0, outcome: undefined, by: 0, callers: undefined };
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

  /** Drops the outcomes of these messages that nobody has asked for yet. Callers that wait are still told. */
  forget(ids: readonly string[] = []): void {
    for (const id of ids) {
      const waiter = this.#waiters.get(id);
      if (waiter?.outcome !== undefined && waiter.callers === undefined) this.#waiters.delete(id);
    }
  }

  /** The oldest entry whose message is pending since this process started. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { seq, outcome } of this.#waiters.values()) {
      if (seq > 0 && outcome === undefined && (oldest === undefined || seq < oldest)) oldest = seq;
    }
    return oldest;
  }

  /** A held message is decided again under another id: whoever waits for the first waits for the second. */
  forward(from: string, to: string, by = 0): void {
    const already = this.take(to);
    if (already === undefined) this.wait(to, (outcome) => this.settle(from, outcome));
    else this.settle(from, already, by);
  }

  /** The node stops: callers that wait are told so. Accepted messages stay accepted. */
  stop(error: Fault): void {
    for (const id of [...this.#waiters.keys()]) this.settle(id, { kind: "failed", error });
  }

  /** Entries after `durable` never happened: what they asked is refused, and what they settled is pending again. */
  undo(durable: number, error: Fault): void {
    for (const [id, waiter] of [...this.#waiters]) {
      if (waiter.seq > durable) this.#tell(id, waiter, { kind: "failed", error });
      else if (waiter.by > durable) {
        waiter.outcome = undefined;
        waiter.by = 0;
        this.#unsure.delete(id);
      }
    }
  }
}
