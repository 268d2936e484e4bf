// Limits lines of the node's log that others, even strangers, can cause: so many a minute of each kind. The next line that is written says how
// many were left out.

import type { PluginRuntime } from "@capstan/orchestrator";

/** Enough to see what is going on, and too few for others to fill the disk. */
const LINES_A_MINUTE = 10;
const MINUTE_MS = 60_000;

interface Kind {
  since: number;
  told: number;
  untold: number;
}

export class FewLines {
  readonly #runtime: Pick<PluginRuntime, "log" | "now">;
  readonly #kinds = new Map<string, Kind>();

  constructor(runtime: Pick<PluginRuntime, "log" | "now">) {
    this.#runtime = runtime;
  }

  /** @param kind lines are counted by it; there must be few kinds, such as one for each peer */
  warn(kind: string, fields: object, text: string): void {
    const { log } = this.#runtime;
    const now = this.#runtime.now();
    let known = this.#kinds.get(kind);
    if (known === undefined || now - known.since >= MINUTE_MS) {
      const untold = known?.untold ?? 0;
      known = { since: now, told: 0, untold: 0 };
      this.#kinds.set(kind, known);
      if (untold > 0) log.warn({ lines: untold }, `${text}: more of these than were told, in the minute before`);
    }
    if (known.told >= LINES_A_MINUTE) {
      known.untold++;
      return;
    }
    known.told++;
    log.warn(fields, text);
  }
}
