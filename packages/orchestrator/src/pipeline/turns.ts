// Keeps one caller's calls in order: they are decided in the order in which they were made. Most are decided at once; one that has to be
// prepared first holds the turn until it is decided, so that `register` followed by `describe` in one burst works.

import type { Awaitable } from "../log/log.ts";

export class Turns {
  #held: Promise<void> | undefined;

  /** Whether an earlier call is not decided yet: calls made now wait in `take`. */
  get held(): boolean {
    return this.#held !== undefined;
  }

  /** Runs `submit` when every earlier call is decided: now, if none is being prepared. */
  take(submit: () => Awaitable<unknown>): Awaitable<unknown> {
    return this.#held === undefined ? submit() : this.#inTurn(submit);
  }

  /** The call that is being submitted is not decided yet. Answers what to call once it is. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#held;
    const held = before === undefined ? promise : Promise.all([before, promise]).then(() => {});
    this.#held = held;
    held.then(() => {
      if (this.#held === held) this.#held = undefined;
    });
    return resolve;
  }

  /** Waiting calls go on in the order in which they came: each checks again whether one before it holds the turn now. */
  async #inTurn(submit: () => Awaitable<unknown>): Promise<unknown> {
    while (this.#held !== undefined) await this.#held;
    return submit();
  }
}
