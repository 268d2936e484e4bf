// A task's circuit breaker: after so many failures in a row it is not tried for a while, then once; a success closes it. In
// memory: a restart, or another revision of the task, begins anew.

import { type Fault, FaultError, fault } from "@capstan/orchestrator";
import type { Breaker } from "../registry/schema.ts";

/** A task's own breaker is open: it was not run. What it asks for may end with the same code, and by then it was. */
export class NotRun extends FaultError {}

/** How a trial that was let through ended. */
export interface Trial {
  succeeded(): void;
  failed(): void;
  /** It came to nothing that says anything of the outside system. */
  abandoned(): void;
}

export class CircuitBreaker {
  readonly #name: string;
  readonly #breaker: Breaker;
  readonly #now: () => number;
  #failures = 0;
  /** When it is tried again; `undefined` while it is closed. */
  #openUntil: number | undefined;
  #probing = false;

  constructor(name: string, breaker: Breaker, now: () => number) {
    this.#name = name;
    this.#breaker = breaker;
    this.#now = now;
  }

  /** Lets a run through, or says why not. Of what is let through exactly one method is to be called. */
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
      // What began before it opened says nothing of how things are since.
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
