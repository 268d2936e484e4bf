// A subscription's receiver, handed one publication after another: each is tried as often as was said, and is a dead letter then;
// nothing overtakes what is being tried. Between the tries nothing is kept but where it is.

import { type Awaitable, type Fault, FaultError, fault } from "@capstan/orchestrator";
import { NotRun } from "../executor/circuit-breaker.ts";
import { type Delivery, type DeliveryParts, deliver } from "./delivery.ts";
import type { Places } from "./places.ts";
import type { Published } from "./publication.ts";
import { waitAfter, worthAnother } from "./retry.ts";
import { type FailedDelivery, type ReceiverRow, receiverTable, type SubscriptionRow } from "./schema.ts";

export interface ReceivingParts extends DeliveryParts {
  readonly places: Places;
  readonly id: string;
  row(): SubscriptionRow;
  /** Everything up to `entry` is dealt with. */
  reached(entry: number): void;
  /** Written down already: as a dead letter. */
  gaveUp(entry: number): void;
  /** The receiver is gone: it goes on when there is one again. */
  unreceived(): void;
  /** A publication as it may be handed over now; none where it was erased, or may be read no more. @throws what reading throws */
  still(one: Published): Promise<Published | undefined>;
}

/** What receivers that answer at once get in one go, and how often that is looked at. */
const SLICE_MS = 2;
const LOOKS_AT_THE_CLOCK = 4;
/** Where the log could not be written. */
const AGAIN_MS = 500;
/** From when on a node refuses until it ends what delivers. */
const STOPS_WITHIN_MS = 5000;
const PASSING = new Set(["LOG_UNAVAILABLE", "STOPPING"]);

export class Receiving {
  readonly #parts: ReceivingParts;
  readonly #ending = new AbortController();
  #hurry: (() => void) | undefined;
  /** The last failure of what is being tried. */
  failing: { readonly entry: number; readonly attempt: number; readonly error: Fault } | undefined;
  #running: Promise<unknown> | undefined;

  constructor(parts: ReceivingParts) {
    this.#parts = parts;
  }

  /** Hands them over, in order. Answers up to which entry: what answers at once gets a slice of time, and goes on with the next. */
  deliver(items: readonly Published[], to: number): Awaitable<number | undefined> {
    return this.#deliver(items, to, 0, performance.now() + SLICE_MS);
  }

  #deliver(items: readonly Published[], to: number, from: number, end: number): Awaitable<number | undefined> {
    for (let i = from; i < items.length; i++) {
      const one = items[i] as Published;
      // What an entry published is dealt with once all of it is.
      const last = items[i + 1]?.entry !== one.entry;
      const handed = this.#hand(one);
      if (handed instanceof Promise) {
        const rest = handed.then((goOn) => {
          if (!goOn) return undefined;
          if (last) this.#parts.reached(one.entry);
          // What took a while is gone on with anew: by then the rest may be somebody else's, or erased.
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

  /** What waits to try again tries now: what it waits for may be there. */
  hurry(): void {
    this.#hurry?.();
  }

  /** Ends what runs. Resolves once it has ended, or no longer matters. */
  async end(): Promise<void> {
    this.#ending.abort(new Error("the subscription ended, or the node stops"));
    this.#hurry?.();
    // What it failed with is for whoever had it deliver.
    await this.#running?.catch(() => {});
  }

  /** Whether it was dealt with: delivered, or a dead letter. */
  #hand(one: Published): Awaitable<boolean> {
    const receiver = this.#receiver();
    if (receiver === undefined) return this.#without();
    const free = this.#parts.places.take();
    if (free !== undefined) return free.then(() => this.#tries(one, 1, true));
    const failed = this.#attempt({ subscription: this.#parts.id, receiver, one, attempt: 1 });
    if (failed === undefined) return true;
    return failed instanceof Promise ? this.#after(one, 1, failed) : this.#after(one, 1, Promise.resolve(failed));
  }

  /** One try, in a place that is taken already. */
  #attempt(delivery: Delivery): Awaitable<Fault | undefined> {
    const { places } = this.#parts;
    const failed = deliver(this.#parts, delivery, this.#ending.signal);
    if (failed instanceof Promise) return failed.finally(places.held());
    places.give();
    return failed;
  }

  /** A try after a wait, in which anything may have changed. */
  async #tries(one: Published, attempt: number, placed: boolean): Promise<boolean> {
    if (!placed) await this.#parts.places.take();
    let now: Published | undefined;
    try {
      now = await this.#parts.still(one);
    } catch (thrown) {
      this.#parts.places.give();
      throw thrown;
    }
    const receiver = this.#receiver();
    if (this.#ending.signal.aborted || receiver === undefined) {
      this.#parts.places.give();
      return this.#ending.signal.aborted ? false : this.#without();
    }
    if (now === undefined) {
      this.#parts.places.give();
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
    // Whatever ended it ended the delivery too, which is made again: by the next start, say.
    if (this.#ending.signal.aborted) return false;
    const notRun = error instanceof NotRun;
    this.failing = { entry: one.entry, attempt, error: notRun ? error.toFault() : error };
    const receiver = this.#receiver();
    if (receiver === undefined) return this.#without();
    const { attempts = receiver.attempts, backoff = receiver.backoff } = this.#parts.row();
    // That is no try. What it asks for may end with the same code, and by then it has run.
    if (notRun) {
      await this.#wait(receiver.breaker?.cooldown ?? backoff);
      return this.#tries(one, attempt, false);
    }
    // This node stops, perhaps: then this is over before the wait is, and is made again by the next start.
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
        // What it failed with is refused, and will be again: rather a letter that says less than none.
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
