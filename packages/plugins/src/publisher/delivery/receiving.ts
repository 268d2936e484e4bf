// Hands a subscription's receiver one publication after another. Each is tried as often as was set, and becomes a dead letter then; none is
// overtaken by a later one. Between two tries only the place is kept.

import { type Awaitable, type Fault, FaultError, fault } from "@capstan/orchestrator";
import { NotRun } from "../../executor/task/circuit-breaker.ts";
import type { Published } from "../publication.ts";
import { type FailedDelivery, type ReceiverRow, receiverTable, type SubscriptionRow } from "../schema.ts";
import { type Delivery, type DeliveryParts, deliver } from "./delivery.ts";
import { waitAfter, worthAnother } from "./retry.ts";
import type { Slots } from "./slots.ts";

export interface ReceivingParts extends DeliveryParts {
  readonly slots: Slots;
  readonly id: string;
  row(): SubscriptionRow;
  /** The receiver is done with everything up to `entry`. */
  reached(entry: number): void;
  /** The publication became a dead letter, and is recorded as that already. */
  gaveUp(entry: number): void;
  /** The receiver was removed: the subscription goes on when there is one again. */
  unreceived(): void;
  /** The publication, read again; `undefined` where it was erased or may not be read any more. @throws what reading throws */
  still(one: Published): Promise<Published | undefined>;
}

/** How long receivers that answer at once may run before others get their turn, and after how many publications the time is looked at. */
const SLICE_MS = 2;
const LOOKS_AT_THE_CLOCK = 4;
/** How long to wait where the log could not be written. */
const AGAIN_MS = 500;
/** The longest time between a stopping node's first `STOPPING` and the end of its deliveries. */
const STOPS_WITHIN_MS = 5000;
const PASSING = new Set(["LOG_UNAVAILABLE", "STOPPING"]);

export class Receiving {
  readonly #parts: ReceivingParts;
  readonly #ending = new AbortController();
  #hurry: (() => void) | undefined;
  /** The latest failure of the delivery that is being tried. */
  failing: { readonly entry: number; readonly attempt: number; readonly error: Fault } | undefined;
  #running: Promise<unknown> | undefined;

  constructor(parts: ReceivingParts) {
    this.#parts = parts;
  }

  /** Hands publications over in order. Answers up to which entry, which may be before `to`: it is called again with the rest. */
  deliver(items: readonly Published[], to: number): Awaitable<number | undefined> {
    return this.#deliver(items, to, 0, performance.now() + SLICE_MS);
  }

  #deliver(items: readonly Published[], to: number, from: number, end: number): Awaitable<number | undefined> {
    for (let i = from; i < items.length; i++) {
      const one = items[i] as Published;
      // An entry may have several publications: it is done once all of them are.
      const last = items[i + 1]?.entry !== one.entry;
      const handed = this.#hand(one);
      if (handed instanceof Promise) {
        const rest = handed.then((goOn) => {
          if (!goOn) return undefined;
          if (last) this.#parts.reached(one.entry);
          // After some time the rest is read again: rights may have changed, or parts been erased.
          if (last && performance.now() > end) return one.entry;
          return this.#deliver(items, to, i + 1, end);
        });
        this.#running = rest;
        return rest;
      }
      if (!handed) return undefined;
      if (!last) continue;
      this.#parts.reached(one.entry);
      if (i % LOOKS_AT_THE_CLOCK === 0 && performance.now() > end) return one.entry;
    }
    this.#parts.reached(to);
    return to;
  }

  /** Tries a waiting delivery now: the reason for its failure may be gone. */
  hurry(): void {
    this.#hurry?.();
  }

  /** Ends a running delivery. Resolves once it has ended, or its result no longer matters. */
  async end(): Promise<void> {
    this.#ending.abort(new Error("the subscription ended, or the node stops"));
    this.#hurry?.();
    // Its failure is reported to the caller of `deliver`.
    await this.#running?.catch(() => {});
  }

  /** Answers whether the publication is done: delivered, or a dead letter. */
  #hand(one: Published): Awaitable<boolean> {
    const receiver = this.#receiver();
    if (receiver === undefined) return this.#without();
    const free = this.#parts.slots.take();
    if (free !== undefined) return free.then(() => this.#tries(one, 1, true));
    const failed = this.#attempt({ subscription: this.#parts.id, receiver, one, attempt: 1 });
    if (failed === undefined) return true;
    return failed instanceof Promise ? this.#after(one, 1, failed) : this.#after(one, 1, Promise.resolve(failed));
  }

  /** One try, in a slot that is taken already. */
  #attempt(delivery: Delivery): Awaitable<Fault | undefined> {
    const { slots } = this.#parts;
    const failed = deliver(this.#parts, delivery, this.#ending.signal);
    if (failed instanceof Promise) return failed.finally(slots.held());
    slots.give();
    return failed;
  }

  /** Tries until the publication is done, with waits in between, in which anything may have changed. */
  async #tries(one: Published, attempt: number, placed: boolean): Promise<boolean> {
    if (!placed) await this.#parts.slots.take();
    let now: Published | undefined;
    try {
      now = await this.#parts.still(one);
    } catch (thrown) {
      this.#parts.slots.give();
      throw thrown;
    }
    const receiver = this.#receiver();
    if (this.#ending.signal.aborted || receiver === undefined) {
      this.#parts.slots.give();
      return this.#ending.signal.aborted ? false : this.#without();
    }
    if (now === undefined) {
      this.#parts.slots.give();
      this.failing = undefined;
      return true;
    }
    return this.#after(
      one,
      attempt,
      Promise.resolve(this.#attempt({ subscription: this.#parts.id, receiver, one: now, attempt })),
    );
  }

  async #after(one: Published, attempt: number, trying: Promise<Fault | undefined>): Promise<boolean> {
    const error = await trying;
    if (error === undefined) {
      this.failing = undefined;
      return true;
    }
    // What ended the receiving also ended this delivery, which will be made again, for example after the next start.
    if (this.#ending.signal.aborted) return false;
    const notRun = error instanceof NotRun;
    this.failing = { entry: one.entry, attempt, error: notRun ? error.toFault() : error };
    const receiver = this.#receiver();
    if (receiver === undefined) return this.#without();
    const { attempts = receiver.attempts, backoff = receiver.backoff } = this.#parts.row();
    // The receiver was not run, so that this does not count as a try. (The code alone would not tell: the receiver's own messages may fail with it.)
    if (notRun) {
      await this.#wait(receiver.breaker?.cooldown ?? backoff);
      return this.#tries(one, attempt, false);
    }
    // If this node is stopping, the delivery ends before the wait does, and is made again after the next start.
    if (error.code === "STOPPING") {
      await this.#wait(STOPS_WITHIN_MS);
      if (this.#ending.signal.aborted) return false;
    }
    if (attempt < attempts && worthAnother(error, this.#parts.protocols.faults)) {
      await this.#wait(waitAfter(attempt, backoff));
      return this.#tries(one, attempt + 1, false);
    }
    return this.#giveUp(one, attempt, receiver, error);
  }

  async #giveUp(one: Published, attempts: number, receiver: ReceiverRow, error: Fault): Promise<boolean> {
    const { runtime, id, fanOut } = this.#parts;
    const quiet = error.code === "FANOUT_EXCEEDED" && fanOut.alerted(one);
    let data = failedDelivery(id, one, attempts, receiver, error, quiet);
    while (!this.#ending.signal.aborted) {
      try {
        await runtime.note({ resource: "subscription", action: "fail", data }, { cause: one.message });
        this.failing = undefined;
        this.#parts.gaveUp(one.entry);
        return true;
      } catch (thrown) {
        runtime.log.warn(
          { subscription: id, error: String(thrown) },
          "a delivery that failed could not be recorded; it is tried again",
        );
        // The log refuses the fault's data, and would again: a dead letter that says less is better than none.
        if (thrown instanceof FaultError && !PASSING.has(thrown.code)) {
          const text = `${receiver.name}: what it failed with could not be recorded: ${thrown.code}`;
          data = failedDelivery(id, one, attempts, receiver, fault("ACTION_FAILED", text), quiet);
        }
        await this.#wait(AGAIN_MS);
      }
    }
    return false;
  }

  #receiver(): ReceiverRow | undefined {
    return this.#parts.runtime.reader.get(receiverTable, this.#parts.row().receiver ?? "");
  }

  #without(): false {
    this.#parts.unreceived();
    return false;
  }

  #wait(ms: number): Promise<void> {
    if (this.#ending.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.#parts.runtime.timers.after(ms, () => this.#hurry?.());
      this.#hurry = () => {
        this.#hurry = undefined;
        stop();
        resolve();
      };
    });
  }
}

export function failedDelivery(
  id: string,
  { entry, message }: Published,
  attempts: number,
  { name, registrant }: ReceiverRow,
  error: Fault,
  quiet: boolean,
): FailedDelivery {
  return {
    ...{ id, entry, message, receiver: name, attempts, error },
    ...{ principal: registrant.principal, grant: registrant.grant },
    ...(quiet ? { quiet } : {}),
  };
}
