// The answers to a node that wait until its link has room, in order: where many large ones come at once, they would otherwise end the session for all
// that share it. It knows no budget: how many may wait is the session's to say, and what is done with a node that reads nothing.

import type { Timers } from "../time/timers.ts";
import type { Link } from "./link.ts";

/** Smaller frames never wait: as many as may be in flight (`callsInFlight`) are 4 Mi together. A peer's keepalives are among them. */
export const SMALL = 1024;
/** The most bytes that may be unsent when an answer is given to the link. */
const ROOM = 1024 * 1024;
/** Links do not tell when they have sent something, so they are asked. */
const LOOK_MS = 5;
/** How long a link may take nothing of what waits. */
export const PATIENCE_MS = 30_000;

export class WaitingAnswers {
  readonly #link: Link;
  readonly #timers: Timers;
  readonly #stalled: () => void;
  #line: string[] = [];
  #characters = 0;
  #unsent = 0;
  #stillMs = 0;
  #stopTimer: (() => void) | undefined;

  /** @param stalled called once nothing has left for `PATIENCE_MS` */
  constructor(link: Link, timers: Timers, stalled: () => void) {
    this.#link = link;
    this.#timers = timers;
    this.#stalled = stalled;
  }

  get characters(): number {
    return this.#characters;
  }

  /** Whether a frame has to wait; it is in line then. @param before code units that leave before it and that the link does not have yet */
  takes(frame: string, before: number): boolean {
    if (frame.length < SMALL) return false;
    if (this.#line.length === 0 && before + this.#link.unsent <= ROOM) return false;
    // Nothing later depends on an answer without stubs, so that later frames may leave before it.
    if (!frame.startsWith('["resolve",') && !frame.startsWith('["reject",')) return false;
    if (frame.includes('["export",') || frame.includes('["promise",')) return false;
    this.#line.push(frame);
    this.#characters += frame.length;
    if (this.#stopTimer === undefined) this.#lookLater();
    return true;
  }

  /** The session is over. */
  close(): void {
    this.#stopTimer?.();
    this.#line = [];
    this.#characters = 0;
  }

  #lookLater(): void {
    this.#unsent = this.#link.unsent;
    this.#stopTimer = this.#timers.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    this.#stopTimer = undefined;
    const link = this.#link;
    this.#stillMs = link.unsent < this.#unsent ? 0 : this.#stillMs + LOOK_MS;
    while (this.#line.length > 0 && this.#stillMs < PATIENCE_MS && link.unsent <= ROOM) {
      const frame = this.#line.shift() as string;
      this.#characters -= frame.length;
      this.#stillMs = link.send([frame]) ? 0 : PATIENCE_MS;
    }
    if (this.#stillMs >= PATIENCE_MS) this.#stalled();
    else if (this.#line.length > 0) this.#lookLater();
  }
}
