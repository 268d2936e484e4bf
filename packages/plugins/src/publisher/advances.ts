// How far subscriptions got, written down: many at once, and not each time. What is not written down yet when a process dies is
// delivered again; what a node that stops orderly delivered is all written down.

import type { PluginRuntime } from "@capstan/orchestrator";

/** At least this long between two entries, and longer the more subscriptions one names: some thousands of rows a second. */
const EVERY_MS = 50;
const ROWS_A_MS = 4;
/** Where the log could not be written. */
const AGAIN_MS = 500;
const MOST_IN_AN_ENTRY = 1000;

export class Advances {
  readonly #runtime: Pick<PluginRuntime, "note" | "timers" | "log">;
  readonly #reached = new Map<string, number>();
  #stopTimer: (() => void) | undefined;
  #noting: Promise<boolean> | undefined;
  #last = 0;

  constructor(runtime: Pick<PluginRuntime, "note" | "timers" | "log">) {
    this.#runtime = runtime;
  }

  /** Everything up to `entry` is dealt with. */
  add(subscription: string, entry: number): void {
    this.#reached.set(subscription, entry);
    this.#schedule(Math.max(EVERY_MS, this.#last / ROWS_A_MS));
  }

  forget(subscription: string): void {
    this.#reached.delete(subscription);
  }

  /** Resolves once all is written down, or cannot be. */
  async flush(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    await this.#noting;
    while (this.#reached.size > 0) if (!(await this.#note())) return;
  }

  #schedule(ms: number): void {
    if (this.#stopTimer !== undefined || this.#noting !== undefined) return;
    this.#stopTimer = this.#runtime.timers.after(ms, () => {
      this.#stopTimer = undefined;
      this.#noting = this.#note();
      void this.#noting.then((noted) => {
        this.#noting = undefined;
        if (this.#reached.size > 0) this.#schedule(noted ? Math.max(EVERY_MS, this.#last / ROWS_A_MS) : AGAIN_MS);
      });
    });
  }

  /** One entry. Answers whether it was taken. */
  async #note(): Promise<boolean> {
    const cursors: Record<string, number> = {};
    let count = 0;
    for (const [id, entry] of this.#reached) {
      if (count++ === MOST_IN_AN_ENTRY) break;
      cursors[id] = entry;
      this.#reached.delete(id);
    }
    this.#last = Math.min(count, MOST_IN_AN_ENTRY);
    try {
      await this.#runtime.note({ resource: "subscription", action: "advance", data: { cursors } });
      return true;
    } catch (thrown) {
      this.#runtime.log.warn(
        { error: String(thrown) },
        "how far subscriptions are could not be written down; it is tried again",
      );
      for (const [id, entry] of Object.entries(cursors)) if (!this.#reached.has(id)) this.#reached.set(id, entry);
      return false;
    }
  }
}
