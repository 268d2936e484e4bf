// The way out: what a caller is told of its message, and when: never before what that was decided on is durable. What is pending is waited for
// as long as the caller says.

import { FaultError, faultOf } from "../fault/fault.ts";
import { DurableAnswer } from "../log/durable-answer.ts";
import type { Awaitable } from "../log/log.ts";
import type { CallOptions, Envelope, TakenOptions } from "../message/message.ts";
import type { Tracer } from "../observability/tracer.ts";
import type { Timers } from "../time/timers.ts";
import { type Committer, logUnavailable } from "./committer.ts";
import type { Taken } from "./taken.ts";
import { type Outcome, unwrap, type Waiters } from "./waiters.ts";

export interface AnswersParts {
  readonly committer: Committer;
  readonly waiters: Waiters;
  readonly timers: Timers;
  readonly tracer: Tracer | undefined;
}

export class Answers {
  readonly #parts: AnswersParts;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  /** The outcome, once it is durable. Not before: capnweb keeps an answer, and later calls may use it. */
  of(taken: Taken, envelope: Envelope, options: TakenOptions): Awaitable<unknown> {
    const { committer } = this.#parts;
    options.taken?.(envelope.id);
    switch (taken.kind) {
      case "refused":
        return committer.durably(() => raise(new FaultError(taken.error)));
      case "done":
        if (taken.pending) return this.#settled(envelope.id, options, taken.data, taken.seq);
        return committer.durably(() => (taken.outcome === undefined ? taken.data : unwrap(taken.outcome)));
      case "held":
        return this.#settled(envelope.id, options, { message: envelope.id, held: taken.name }, taken.seq);
      default:
        return taken satisfies never;
    }
  }

  /** The outcome of a pending message: now if there is one, or once it is settled, or `pending` when the wait is over. */
  #settled(id: string, { wait }: CallOptions, meanwhile: unknown, seq: number): Awaitable<unknown> {
    const { waiters, committer } = this.#parts;
    const already = waiters.take(id);
    if (already !== undefined) return committer.durably(() => unwrap(already));
    if (wait === 0) return committer.durably(() => ({ ...(meanwhile as object), pending: true }));
    if (wait === undefined) return this.#outcomeLater(id, seq);
    let stop = (): void => {};
    const outcome = new Promise<Outcome>((resolve) => {
      stop = waiters.wait(id, resolve);
    });
    return this.within(outcome, wait, meanwhile, seq).finally(stop);
  }

  /** The outcome, however long it takes. */
  #outcomeLater(id: string, seq: number): DurableAnswer {
    let came: Outcome | undefined;
    const told = new DurableAnswer(seq, () => unwrap(came as Outcome));
    this.#parts.waiters.wait(id, (outcome) => {
      came = outcome;
      told.resolve();
    });
    return told;
  }

  /** The outcome, or after `wait` milliseconds `pending`, once the message's entry `seq` is durable. Outcomes arrive durable. */
  async within(outcome: Promise<Outcome>, wait: number | undefined, meanwhile: unknown, seq: number): Promise<unknown> {
    if (wait === undefined) return unwrap(await outcome);
    let stop = (): void => {};
    const limit = new Promise<undefined>((resolve) => {
      stop = this.#parts.timers.after(wait, () => resolve(undefined));
    });
    const first = await Promise.race([outcome, limit]);
    stop();
    if (first !== undefined) return unwrap(first);
    await this.#parts.committer.whenDurable(seq);
    return { ...(meanwhile as object), pending: true };
  }

  /** An answer that takes time: refused where decisions were undone meanwhile, and otherwise told only once what it saw is durable. */
  standing(ask: () => unknown): Awaitable<unknown> {
    const { committer } = this.#parts;
    const { generation } = committer;
    const told = (tell: () => unknown): Awaitable<unknown> => {
      if (committer.generation !== generation) throw new FaultError(logUnavailable());
      return committer.durably(tell);
    };
    let answer: unknown;
    try {
      answer = ask();
    } catch (thrown) {
      return told(() => raise(thrown));
    }
    if (!(answer instanceof Promise)) return told(() => answer);
    return answer.then(
      (value) => told(() => value),
      (thrown) => told(() => raise(thrown)),
    );
  }

  /** A query's trace lasts until it is answered. */
  traced({ id }: Envelope, ask: () => Awaitable<unknown>): Awaitable<unknown> {
    const { tracer } = this.#parts;
    if (tracer === undefined) return ask();
    const failed = (thrown: unknown): never => {
      tracer.settled(id, faultOf(thrown).code);
      throw thrown;
    };
    let answer: Awaitable<unknown>;
    try {
      answer = ask();
    } catch (thrown) {
      return failed(thrown);
    }
    const told = (value: unknown): unknown => {
      tracer.settled(id, undefined);
      return value;
    };
    return answer instanceof Promise || answer instanceof DurableAnswer ? answer.then(told, failed) : told(answer);
  }
}

function raise(thrown: unknown): never {
  throw thrown;
}
