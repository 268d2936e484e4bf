// Writes the cursors of subscriptions into the log: many with one entry, and not after each delivery. After a crash what was not written yet is
// delivered again. A node that is stopped writes all of them first.

import type { PluginRuntime } from "@capstan/orchestrator";

/** The least time between two entries. It grows with the cursors in the last one, to at most `ROWS_A_MS` rows a millisecond. */
const EVERY_MS = 50;
const ROWS_A_MS = 4;
/** How long to wait where the log could not be written. */
const AGAIN_MS = 500;
const MOST_IN_AN_ENTRY = 1000;

export class CursorWriter {
  readonly #runtime: Pick<PluginRuntime, "note" | "timers" | "log">;
  readonly #reached = new Map<string, number>();
  #stopTimer: (() => void) | undefined;
  #noting: Promise<boolean> | undefined;
  #last = 0;

  constructor(runtime: Pick<PluginRuntime, "note" | "timers" | "log">) {
    this.#runtime = runtime;
  }

  /** The subscription is done with everything up to `entry`. */
  add(subscription: string, entry: number): void {
    this.#reached.set(subscription, entry);
    this.#schedule(Math.max(EVERY_MS, this.#last / ROWS_A_MS));
  }

  forget(subscription: string): void {
    this.#reached.delete(subscription);
  }

  /** Resolves once all cursors are written, or cannot be. */
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

  /** Writes one entry. Answers whether the log took it. */
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
