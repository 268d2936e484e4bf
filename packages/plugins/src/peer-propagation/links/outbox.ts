// What is to be said over one connection, in order: a few frames at a time, the next ones when those were taken. The other
// side may hang, answer nonsense or read slowly; then the connection is given up, and nobody else has noticed.

import { printable, type Timers } from "@capstan/orchestrator";
import { encodeFrame, type Message } from "@capstan/peer";
import type { Framed } from "./frames.ts";

export interface OutboxParts {
  readonly timers: Timers;
  /** Milliseconds that the other side has to take a frame: as long as it may be silent. */
  readonly patience: number;
  readonly bytes?: number | undefined;
  say(framed: Framed): Promise<unknown>;
  /** It is given up. */
  failed(text: string): void;
}

/** Frames that wait for their answers at once: enough to fill the pipe, few enough that a slow reader is noticed. */
const IN_FLIGHT = 8;
/** UTF-16 code units of frames: some tables of 50,000 routes, and what changes of them while they are sent. */
const MOST_WAITING = 32 * 1024 * 1024;

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #most: number;
  #queue: Framed[] = [];
  #waiting = 0;
  #inFlight = 0;
  #opened = false;
  #over = false;
  #drained: (() => void) | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#most = parts.bytes ?? MOST_WAITING;
    this.#watch();
  }

  /** The other side has taken all that was said. */
  get isEmpty(): boolean {
    return this.#inFlight + this.#queue.length === 0;
  }

  push(message: Message): void {
    if (this.#over || this.#drained !== undefined) return;
    const text = encodeFrame(message);
    this.#waiting += text.length;
    if (this.#waiting > this.#most) {
      this.#fail(`it does not keep up: ${this.#waiting} characters of updates wait for it`);
      return;
    }
    this.#queue.push({ message, text });
    this.#pump();
  }

  /** From here on the other side takes frames. */
  open(): void {
    this.#opened = true;
    this.#watch();
    this.#pump();
  }

  /** Takes nothing more; calls back once what it has is out, or it is given up. */
  finish(done: () => void): void {
    if (this.#over) {
      done();
      return;
    }
    this.#drained = done;
    this.#rest();
  }

  /** The connection is gone. */
  abandon(): void {
    this.#end();
  }

  #pump(): void {
    while (this.#opened && !this.#over && this.#inFlight < IN_FLIGHT) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#inFlight++;
      this.#parts.say(next).then(
        (answer) => {
          // Nothing of it is read, and stubs in it would be kept until the session ends.
          release(answer);
          this.#taken(next.text.length);
        },
        (thrown: unknown) => this.#fail(`it did not take what was said: ${textOf(thrown)}`),
      );
      if (this.#stopTimer === undefined) this.#watch();
    }
  }

  #taken(size: number): void {
    if (this.#over) return;
    this.#inFlight--;
    this.#waiting -= size;
    this.#watch();
    this.#pump();
    this.#rest();
  }

  #rest(): void {
    if (this.#drained === undefined || !this.isEmpty) return;
    this.#end();
  }

  /** Whoever is asked for something has from now on as long as it may be silent. */
  #watch(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#over || (this.#opened && this.#inFlight === 0)) return;
    const { patience } = this.#parts;
    const what = this.#opened ? "did not answer" : "did not say where to answer";
    this.#stopTimer = this.#parts.timers.after(patience, () => this.#fail(`it ${what} within ${patience} ms`));
  }

  #fail(text: string): void {
    if (this.#over) return;
    this.#end();
    this.#parts.failed(text);
  }

  #end(): void {
    this.#over = true;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#queue = [];
    this.#waiting = 0;
    this.#drained?.();
    this.#drained = undefined;
  }
}

/** What a remote value holds on the other side is given back. */
export function release(held: unknown): void {
  try {
    (held as Partial<Disposable> | null | undefined)?.[Symbol.dispose]?.();
  } catch {
    // The session is over: so is what it held.
  }
}

export function textOf(thrown: unknown): string {
  // It may be the other side's: operators read it.
  return printable(String((thrown as { message?: unknown } | null | undefined)?.message ?? thrown), 300);
}
