// Calls a caller's callback with publications, one batch at a time; when it returns, the batch is acknowledged. The callback may hang, fail or be
// gone: then it is released, and nothing else is affected.

import { type Fault, fault, type Live, type Timers } from "@capstan/orchestrator";
import { type CursorLog, cursorAt } from "../cursor.ts";
import type { Published } from "../publication.ts";

export interface FollowerParts {
  readonly live: Live;
  readonly timers: Timers;
  /** How long it may take for a batch, in milliseconds. */
  readonly patience: number;
  readonly log: CursorLog;
  reached(entry: number): void;
  /** Called when the callback is released. */
  ended(why: Fault): void;
}

export class Follower {
  readonly #parts: FollowerParts;
  readonly #stopListening: () => void;
  #ended = false;
  #reached: number;

  constructor(parts: FollowerParts, position: number) {
    this.#parts = parts;
    this.#reached = position;
    this.#stopListening = parts.live.onGone((why) => this.#over(fault("LIVE_UNAVAILABLE", why)));
  }

  async deliver(items: readonly Published[], to: number): Promise<number | undefined> {
    const { live, timers, patience, log } = this.#parts;
    const publications = items.map(({ publication }) => publication);
    let stop = (): void => {};
    const late = new Promise<Fault>((resolve) => {
      stop = timers.after(patience, () => {
        resolve(
          fault("FOLLOWER_SLOW", `the callback did not answer within ${patience} ms; follow again from the cursor`),
        );
      });
    });
    const answered = live.call({ publications, next: cursorAt(to, log) }).then(
      () => undefined,
      (thrown: unknown) =>
        fault("FOLLOWER_FAILED", `the callback failed: ${textOf(thrown)}; follow again from the cursor`),
    );
    const why = await Promise.race([answered, late]);
    stop();
    if (this.#ended) return undefined;
    if (why !== undefined) {
      this.end(why);
      return undefined;
    }
    this.#reached = to;
    this.#parts.reached(to);
    return to;
  }

  /** Releases the callback, after a last call that tells it why. */
  end(why: Fault): void {
    if (this.#ended) return;
    const { live, log } = this.#parts;
    live.call({ publications: [], next: cursorAt(this.#reached, log), ended: why }).catch(() => {});
    this.#over(why);
    live.dispose();
  }

  #over(why: Fault): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopListening?.();
    this.#parts.ended(why);
  }
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown).slice(0, 200);
  } catch {
    return "it threw";
  }
}
