// The node's own log: one structured line a message, written after the turn in which it was decided. It carries names and
// verdicts, never data, and whatever else might be secret is redacted by its key.

import pino from "pino";
import { printable } from "../fault/printable.ts";
import type { Observer } from "../orchestrator.ts";
import type { Logger } from "../plugin/plugin.ts";

export interface LogOptions {
  readonly level?: "debug" | "info" | "warn" | "error" | "silent";
  /** A file descriptor, or where lines go instead. Default: standard error. */
  readonly destination?: number | { write(line: string): void };
}

export interface NodeLog {
  readonly logger: Logger;
  readonly observe: Observer;
  /** Writes what has been gathered. */
  flush(): Promise<void>;
}

const REDACTED = ["token", "credential", "secret", "password", "authorization", "key"];
/** Lines are gathered up to this many bytes before they are written: a write a turn of the loop cost more than the lines. */
const WRITE_AT_ONCE = 64 * 1024;
/** How long a line waits for more before it is written all the same. */
const QUIET_MS = 50;

export function createLogger({ level = "info", destination = 2 }: LogOptions = {}): NodeLog {
  const lines = typeof destination === "number" ? new LineFile(destination) : destination;
  const redact = [...REDACTED, ...REDACTED.map((key) => `*.${key}`)];
  const logger = pino({ level, base: null, redact, hooks }, lines);
  // Of five fields that are ours nothing is secret, and looking for secrets is half the cost of a line.
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
// JSON leaves direction marks and C1 controls as they are; a terminal on which somebody reads the log acts on them.
const hooks = { streamWrite: (line: string) => (UNUSUAL.test(line) ? `${printable(line.trimEnd())}\n` : line) };

/** Of what is in such a line, the caller's own id alone is any text. */
function shown(one: Parameters<Observer>[0]): object {
  return one.correlation === undefined ? one : { ...one, correlation: printable(one.correlation) };
}

/** Lines on their way to a file descriptor. Bun's own sink: pino's was measured at four times a line's cost under Bun. */
class LineFile {
  readonly #sink: Bun.FileSink;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(descriptor: number) {
    this.#sink = Bun.file(descriptor).writer({ highWaterMark: WRITE_AT_ONCE });
  }

  write(line: string): void {
    this.#sink.write(line);
    // A quiet node's lines should not wait for the next ones; a busy one's fill the buffer by themselves.
    this.#quiet ??= setTimeout(() => void this.flush(), QUIET_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    await this.#sink.flush();
  }
}
