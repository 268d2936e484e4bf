// The node's own log: one structured line a message, written after the turn in which it was decided. It carries names and
// verdicts, never data, and whatever else might be secret is redacted by its key.

import pino from "pino";
import { printable } from "../fault/printable.ts";
import type { Observer } from "../observability/observe-decisions.ts";
import type { Logger } from "../plugin/plugin.ts";

/** The level and destination of log lines. */
export interface LogOptions {
  readonly level?: "debug" | "info" | "warn" | "error" | "silent";
  /** A file descriptor, or where lines go instead. Default: standard error. */
  readonly destination?: number | { write(line: string): void };
}

/** A logger, and an observer that logs decisions. */
export interface NodeLog {
  readonly logger: Logger;
  readonly observe: Observer;
  /** Writes what has been gathered. */
  flush(): Promise<void>;
}

const REDACTED = ["token", "credential", "secret", "password", "authorization", "key"];
/** Lines are gathered up to so many bytes before they are written: a write at each turn of the loop costs more than the lines. */
const WRITE_AT_ONCE = 64 * 1024;
/** How long a line waits for others before it is written. */
const QUIET_MS = 50;

/** Makes the node's logger. Lines are buffered: call `flush` before the process ends. */
export function createLogger({ level = "info", destination = 2 }: LogOptions = {}): NodeLog {
  const lines = typeof destination === "number" ? new LineFile(destination) : destination;
  const redact = [...REDACTED, ...REDACTED.map((key) => `*.${key}`)];
  const logger = pino({ level, base: null, redact, hooks }, lines);
  // These lines have only our own fields, none of them secret: looking for secrets would double their cost.
  const decisions = pino({ level, base: null }, lines);
  const logged = logger.isLevelEnabled("info");
  let decided: Parameters<Observer>[0][] = [];

  const write = (): void => {
    const gathered = decided;
    decided = [];
    for (const one of gathered) decisions.info(shown(one), "decided");
  };

  return {
    logger,
    observe(one) {
      if (!logged) return;
      if (decided.length === 0) setImmediate(write);
      decided.push(one);
    },
    async flush() {
      write();
      if (lines instanceof LineFile) await lines.flush();
    },
  };
}

const UNUSUAL = /[^ -~\n]/;
// JSON does not escape direction marks and C1 controls, which a terminal would act on.
const hooks = { streamWrite: (line: string) => (UNUSUAL.test(line) ? `${printable(line.trimEnd())}\n` : line) };

/** The line's fields. Only the caller's correlation id can be any text. */
function shown(one: Parameters<Observer>[0]): object {
  return one.correlation === undefined ? one : { ...one, correlation: printable(one.correlation) };
}

/** Writes lines to a file descriptor by Bun's own sink: under Bun, pino's was measured at four times the cost of a line. */
class LineFile {
  readonly #sink: Bun.FileSink;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(descriptor: number) {
    this.#sink = Bun.file(descriptor).writer({ highWaterMark: WRITE_AT_ONCE });
  }

  write(line: string): void {
    this.#sink.write(line);
    // On a quiet node a line must not wait for the next one; on a busy one the buffer fills by itself.
    this.#quiet ??= setTimeout(() => void this.flush(), QUIET_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    await this.#sink.flush();
  }
}
