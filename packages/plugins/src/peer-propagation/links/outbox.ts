// The queue of outgoing frames of one connection, with back-pressure: only a few are in flight, and the next is sent when one was acknowledged. If the
// peer hangs, answers with an error or reads too slowly, only this connection is given up.

import type { Timers } from "@capstan/orchestrator";
import { encodeFrame, type Message } from "@capstan/peer";
import { textOf } from "../thrown.ts";
import type { Framed } from "./frames.ts";

export interface OutboxParts {
  readonly timers: Timers;
  /** Milliseconds within which the peer must acknowledge a frame. */
  readonly patience: number;
  readonly bytes?: number | undefined;
  say(framed: Framed): Promise<unknown>;
  /** Called when the connection is given up. */
  failed(text: string): void;
}

/** The most frames in flight: enough to fill the pipe, few enough to notice a slow reader. */
const IN_FLIGHT = 8;
/** The most UTF-16 code units of queued frames: several tables of 50,000 routes, and their changes meanwhile. */
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

  /** Whether the peer has acknowledged all frames. */
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

  /** The handshake is complete: starts sending. */
  open(): void {
    this.#opened = true;
    this.#watch();
    this.#pump();
  }

  /** Accepts no more frames; calls `done` once all are acknowledged, or the connection is given up. */
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
          // The answer is not used; stubs in it would be kept until the session ends.
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

  /** Restarts the timer: the peer has `patience` to acknowledge a frame, or to complete the handshake. */
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

/** Releases the references to the other side that a value holds. */
export function release(held: unknown): void {
  try {
    (held as Partial<Disposable> | null | undefined)?.[Symbol.dispose]?.();
  } catch {
    // The session is over, and with it its references.
  }
}
