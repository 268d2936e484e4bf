// One delivery: runs a receiver's protocol with a publication, in the name of its registrant narrowed to its `may`. Messages that it sends have the
// publication's message as their cause. It has no output.

import {
  type Awaitable,
  type Fault,
  FaultError,
  fault,
  type Message,
  type PluginRuntime,
  type Principal,
  type Right,
} from "@capstan/orchestrator";
import type { PublicationInfo } from "../../executor/protocol.ts";
import type { Protocols, Run } from "../../executor/protocols.ts";
import { NotRun } from "../../executor/task/circuit-breaker.ts";
import { plainFault } from "../../executor/task/plain-fault.ts";
import { compileSchema, describeProblems } from "../../registry/json-schema.ts";
import type { Published } from "../publication.ts";
import type { ReceiverRow } from "../schema.ts";
import type { FanOut } from "./fan-out.ts";

export interface DeliveryParts {
  readonly runtime: PluginRuntime;
  readonly protocols: Protocols;
  readonly fanOut: FanOut;
}

/** What is delivered to whom. */
export interface Delivery {
  readonly subscription: string;
  readonly receiver: ReceiverRow;
  readonly one: Published;
  readonly attempt: number;
}

/** Runs the receiver once. Answers why it failed; `undefined` where it succeeded. @param signal ends it */
export function deliver(parts: DeliveryParts, delivery: Delivery, signal: AbortSignal): Awaitable<Fault | undefined> {
  const { receiver, one } = delivery;
  const misfit = unfit(receiver, one);
  if (misfit !== undefined) return misfit;
  const failed = (thrown: unknown): Fault => faultIn(receiver, thrown);
  const run = new DeliveryRun(parts, delivery, signal);
  try {
    const ended = parts.protocols.run(receiver, run);
    if (!(ended instanceof Promise)) {
      run.over();
      return undefined;
    }
    return limited(
      parts.runtime,
      run,
      receiver,
      ended.then(() => undefined, failed),
    );
  } catch (thrown) {
    run.over();
    return failed(thrown);
  }
}

function unfit({ name, input }: ReceiverRow, { publication }: Published): Fault | undefined {
  if (input === undefined || input === true) return undefined;
  const problems = compileSchema(input)(publication.data);
  if (problems.length === 0) return undefined;
  const { message, details } = describeProblems(`${name}: what was published`, problems);
  return fault("INPUT_INVALID", message, details);
}

/** The result within the receiver's timeout. Code that goes on after that is ignored. */
function limited(
  { timers }: PluginRuntime,
  run: DeliveryRun,
  { name, timeout }: ReceiverRow,
  ended: Promise<Fault | undefined>,
): Promise<Fault | undefined> {
  return new Promise((resolve) => {
    let stopTimer = (): void => {};
    let stopListening = (): void => {};
    const end = (came: Fault | undefined): void => {
      stopTimer();
      stopListening();
      run.over();
      resolve(came);
    };
    stopTimer = timers.after(timeout, () => {
      const late = fault("DEADLINE_EXCEEDED", `${name}: it was not done after ${timeout} ms`);
      run.abort(late);
      end(late);
    });
    stopListening = run.onAbort(() => end(fault("CANCELLED", `${name}: the delivery was stopped`)));
    void ended.then(end);
  });
}

/** The fault of a failed delivery, as plain data for the log; unchanged where it is a `NotRun`. */
function faultIn({ name }: ReceiverRow, thrown: unknown): Fault {
  return thrown instanceof NotRun ? thrown : plainFault(thrown, name);
}

/** A delivery as its protocol sees it. Rarely used parts are made when they are first read. */
class DeliveryRun implements Run {
  readonly #parts: DeliveryParts;
  readonly #delivery: Delivery;
  readonly #outer: AbortSignal;
  #controller: AbortController | undefined;
  #aborted: unknown;
  #stopListening = (): void => {};
  #over = false;

  constructor(parts: DeliveryParts, delivery: Delivery, outer: AbortSignal) {
    this.#parts = parts;
    this.#delivery = delivery;
    this.#outer = outer;
  }

  get id(): string {
    return `${this.#delivery.subscription}/${this.#delivery.one.entry}`;
  }

  get key(): string {
    return `${this.#delivery.subscription}:${this.#delivery.one.publication.cursor}`;
  }

  get input(): unknown {
    return this.#delivery.one.publication.data;
  }

  get attempt(): number {
    return this.#delivery.attempt;
  }

  get traceparent(): string | undefined {
    return this.#delivery.one.traceparent;
  }

  get publication(): PublicationInfo {
    const { topic, cursor, id, at, origin } = this.#delivery.one.publication;
    const { subscription } = this.#delivery;
    return { topic, cursor, id, at, subscription, ...(origin === undefined ? {} : { origin }) };
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#aborted !== undefined) controller.abort(this.#aborted);
      else if (!this.#over) this.#stopListening = this.onAbort(() => controller.abort(this.#outer.reason));
    }
    return this.#controller.signal;
  }

  get log() {
    return this.#parts.runtime.log;
  }

  abort(reason: unknown): void {
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }

  /** Removes its listeners from signals that last as long as the subscription. */
  over(): void {
    this.#over = true;
    this.#stopListening();
  }

  onAbort(callback: () => void): () => void {
    if (this.#outer.aborted) callback();
    else this.#outer.addEventListener("abort", callback, { once: true });
    return () => this.#outer.removeEventListener("abort", callback);
  }

  async apply(message: Message, as: Principal): Promise<unknown> {
    const { runtime, fanOut } = this.#parts;
    const { one } = this.#delivery;
    const tooMany = await fanOut.ask(one);
    if (tooMany !== undefined) throw new FaultError(tooMany);
    const { traceparent, message: cause } = one;
    const { correlation } = one.publication;
    return runtime.apply(message, as, {}, { cause, hops: one.hops + 1, correlation, traceparent });
  }

  allows(right: Right, as: Principal): Fault | undefined {
    return this.#parts.runtime.allows(right, as);
  }
}
