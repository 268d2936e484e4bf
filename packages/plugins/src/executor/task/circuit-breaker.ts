// A task's circuit breaker: after a number of failures in a row the task is not run for some time, then once; a success closes the breaker. Its
// state is in memory: a restart, or a new revision of the task, begins anew.

import { type Fault, FaultError, fault } from "@capstan/orchestrator";
import type { Breaker } from "../../registry/schema.ts";

/** Thrown where a task was not run because its own breaker is open. A class, because messages that the task sends may fail with the same code. */
export class NotRun extends FaultError {}

/** Reports how a run that was let through ended. */
export interface Trial {
  succeeded(): void;
  failed(): void;
  /** Its result says nothing about the outside system. */
  abandoned(): void;
}

export class CircuitBreaker {
  readonly #name: string;
  readonly #breaker: Breaker;
  readonly #now: () => number;
  #failures = 0;
  /** When the next run is let through; `undefined` while the breaker is closed. */
  #openUntil: number | undefined;
  #probing = false;

  constructor(name: string, breaker: Breaker, now: () => number) {
    this.#name = name;
    this.#breaker = breaker;
    this.#now = now;
  }

  /** Lets a run through, or says why not. Exactly one method of the trial must be called. */
  enter(): Trial | Fault {
    const until = this.#openUntil;
    const probe = until !== undefined;
    if (probe) {
      const left = until - this.#now();
      if (left > 0 || this.#probing) {
        const when = left > 0 ? `is tried again in ${left} ms` : "is being tried now";
        return fault("CIRCUIT_OPEN", `${this.#name} failed ${this.#failures} times in a row; it ${when}`);
      }
      this.#probing = true;
    }
    let over = false;
    const end = (then: () => void) => () => {
      if (over) return;
      over = true;
      if (probe) this.#probing = false;
      then();
    };
    return {
      // A run that began before the breaker opened says nothing about the time since.
      succeeded: end(() => {
        if (this.#openUntil !== undefined && !probe) return;
        this.#failures = 0;
        this.#openUntil = undefined;
      }),
      failed: end(() => {
        if (this.#openUntil !== undefined && !probe) return;
        this.#failures++;
        if (probe || this.#failures >= this.#breaker.failures) this.#openUntil = this.#now() + this.#breaker.cooldown;
      }),
      abandoned: end(() => undefined),
    };
  }
}
