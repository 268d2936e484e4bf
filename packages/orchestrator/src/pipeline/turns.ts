// The order of one holder's calls: they are decided as they were asked. Most are decided at once; one that has to be prepared
// for holds the turn until it was decided, so that `register` and then `describe` in one burst means what it says.

import type { Awaitable } from "../log/log.ts";

export class Turns {
  #held: Promise<void> | undefined;

  /** A call before is not decided yet: those that come now wait in `take`. */
  get held(): boolean {
    return this.#held !== undefined;
  }

  /** Runs `submit` when every call before it was decided: now, if none is being prepared for. */
  take(submit: () => Awaitable<unknown>): Awaitable<unknown> {
    return this.#held === undefined ? submit() : this.#inTurn(submit);
  }

  /** The call being submitted is not decided yet. Answers what to call when it was. */
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

  /** Those who wait go on in the order in which they came: each looks again whether one before it has held the turn. */
  async #inTurn(submit: () => Awaitable<unknown>): Promise<unknown> {
    while (this.#held !== undefined) await this.#held;
    return submit();
  }
}
