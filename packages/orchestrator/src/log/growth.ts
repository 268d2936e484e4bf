// Wakes the tails of a log when it grows. Both implementations share this: the waiting, and the loop that reads on. It holds no entries.

import { FaultError, fault } from "../fault/fault.ts";
import type { Log, StoredEntry } from "./log.ts";

/** Entries that a tail reads at a time: enough to spare calls, few enough that a slow reader holds little. */
const TAIL_PAGE = 128;

export class Growth {
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** Wakes every tail that waits; called after each append. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }

  /** Ends every tail: of a closed log nothing more can come. */
  close(): void {
    this.#closed = true;
    this.wake();
  }

  /**
   * The entries of `log` from `from` on, then those that come; ends when `signal` aborts or the log is closed.
   * @throws FaultError HISTORY_GONE where entries to read were trimmed away, before it began or since: a gap is never skipped
   */
  async *tail(
    log: Pick<Log, "first" | "head" | "read">,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEntry, void, void> {
    let next = Math.max(from, 1);
    while (!signal.aborted && !this.#closed) {
      if (next > log.head) {
        await this.#grown(signal);
        continue;
      }
      if (next < log.first) {
        throw new FaultError(
          fault("HISTORY_GONE", `entry ${next} was compacted away; the oldest that is kept is ${log.first}`, {
            first: log.first,
          }),
        );
      }
      for (const entry of await log.read(next, { limit: TAIL_PAGE })) {
        if (signal.aborted) return;
        yield entry;
        next = entry.seq + 1;
      }
    }
  }

  #grown(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        // A tail may wait millions of times on one signal: each wait must remove its listener.
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
