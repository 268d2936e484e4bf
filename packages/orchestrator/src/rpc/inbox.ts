// Between the wire and capnweb's read loop: hands over one frame at a time, once the budget has admitted it, and none while a credential is
// being verified. Before capnweb asks for the next frame (`receive`; with our patch, ADR 0010: before its listener returns) it has evaluated
// the last one, synchronously, scope methods without promised arguments included. So when a frame is judged, all earlier frames have begun,
// and an authentication among them is known.

import type { SessionBudget } from "./budget.ts";

/** What a queued frame costs besides its text, so that empty frames are not free. */
const BYTES_A_FRAME = 64;
/**
 * Of frames that wait together, so many bytes (or one frame) are evaluated in one turn of the event loop. Between turns answers leave, the
 * peer can go on, and other sessions are served.
 */
const BYTES_A_TURN = 128 * 1024;
/** Where more than this waits, frames are evaluated without pauses. */
const MOST_PUT_OFF = 16 * 1024 * 1024;

/** Called with messages as they come, without a promise for each. What `message` throws ends the session. */
export interface Listener {
  message(message: unknown): void;
  failed(reason: unknown): void;
}

export class Inbox {
  readonly #budget: SessionBudget;
  readonly #onEmpty: (() => void) | undefined;
  #frames: string[];
  #head = 0;
  #bytes = 0;
  /** Bytes evaluated since the last pause. */
  #taken = 0;
  /** Messages that we made ourselves: they go first, and are not charged. */
  #internal: unknown[] = [];
  #waiting: PromiseWithResolvers<unknown> | undefined;
  #listener: Listener | undefined;
  #delivering = false;
  #paused = false;
  #failure: { readonly reason: unknown } | undefined;
  #peerAborted = false;

  constructor(budget: SessionBudget, frames: string[] = [], onEmpty?: () => void) {
    this.#budget = budget;
    this.#frames = frames;
    this.#onEmpty = onEmpty;
    budget.onBreach((breach) => this.fail(breach, true));
  }

  /** The peer has aborted the session: the error that capnweb then aborts with is the peer's own. */
  get peerAborted(): boolean {
    return this.#peerAborted;
  }

  offer(frame: string): void {
    if (this.#failure) return;
    this.#bytes += frame.length + BYTES_A_FRAME;
    this.#frames.push(frame);
    if ((this.#waiting || this.#listener) && !this.#paused) {
      this.#serve();
      return;
    }
    try {
      this.#budget.waiting(this.#bytes);
    } catch {
      // The budget has called its listeners already, this inbox first.
    }
  }

  /** Adds a message that is evaluated next, without being judged. */
  inject(message: unknown): void {
    this.#internal.push(message);
    this.#serve();
  }

  /** Instead of `receive`: calls back with each message, under the same rules. */
  listen(listener: Listener): void {
    this.#listener = listener;
    this.#serve();
  }

  receive(): Promise<unknown> {
    // The common case, without a promise of our own: 60,000 frames a second take this path.
    if (this.#head < this.#frames.length && this.#internal.length === 0 && !this.#budget.pendingAuthentication) {
      try {
        return Promise.resolve(this.#take());
      } catch (error) {
        return Promise.reject(error);
      }
    }
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#serve();
    return promise;
  }

  /** Ends the session, after the frames that have arrived, or at once. */
  fail(reason: unknown, atOnce = false): void {
    if (atOnce) {
      this.#frames = [];
      this.#internal = [];
      this.#head = this.#bytes = 0;
    }
    this.#failure ??= { reason };
    this.#serve();
  }

  #serve(): void {
    if (this.#listener) {
      this.#deliver(this.#listener);
      return;
    }
    const waiting = this.#waiting;
    if (!waiting) return;
    if (this.#internal.length > 0) {
      this.#give(waiting, this.#internal.shift());
    } else if (this.#head === this.#frames.length) {
      if (this.#failure) this.#refuse(waiting, this.#failure.reason);
      else this.#onEmpty?.();
    } else if (!this.#paused) {
      const pending = this.#budget.pendingAuthentication;
      if (pending) this.#pause(pending);
      else this.#judge(waiting);
    }
  }

  /**
   * Evaluating a message may add another (`inject`) or end the session: the running loop handles both. Between frames it leaves as many
   * microtasks as `receive` would, because a call on an earlier promise must begin before the next frame is judged.
   */
  #deliver(listener: Listener): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let given = false; this.#internal.length > 0 || this.#head < this.#frames.length; ) {
        if (this.#internal.length > 0) {
          listener.message(this.#internal.shift());
          continue;
        }
        if (this.#paused) return;
        const pending = this.#budget.pendingAuthentication ?? (given || this.#tookMuch ? this.#next() : undefined);
        if (pending) {
          this.#pause(pending);
          return;
        }
        given = true;
        listener.message(this.#take());
      }
      if (this.#failure) this.#stop(listener, this.#failure.reason);
      else this.#onEmpty?.();
    } catch (error) {
      this.#stop(listener, error);
    } finally {
      this.#delivering = false;
    }
  }

  get #tookMuch(): boolean {
    return this.#taken >= BYTES_A_TURN && this.#bytes <= MOST_PUT_OFF;
  }

  /** Resolves when the next frame may be handed over. */
  #next(): Promise<void> {
    if (!this.#tookMuch) return Promise.resolve().then();
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#taken = 0;
        resolve();
      });
    });
  }

  #stop(listener: Listener, reason: unknown): void {
    this.#failure ??= { reason };
    this.#listener = undefined;
    listener.failed(reason);
  }

  #pause(pending: Promise<void>): void {
    this.#paused = true;
    pending.then(() => {
      this.#paused = false;
      this.#serve();
    });
  }

  #judge(waiting: PromiseWithResolvers<unknown>): void {
    try {
      this.#give(waiting, this.#take());
    } catch (error) {
      this.#refuse(waiting, error);
    }
  }

  /** The next frame's message, admitted; throws what ends the session. */
  #take(): unknown {
    const frame = this.#budget.frame(this.#nextText());
    if (frame.type === "abort") this.#peerAborted = true;
    if (!frame.pullFirst) return frame.message;
    this.#internal.push(frame.message);
    return ["pull", frame.id];
  }

  #nextText(): string {
    const frame = this.#frames[this.#head] as string;
    this.#taken += frame.length + BYTES_A_FRAME;
    if (++this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = this.#bytes = 0;
    } else {
      this.#bytes -= frame.length + BYTES_A_FRAME;
      // The frame's memory is freed now, even while later frames still wait.
      this.#frames[this.#head - 1] = "";
    }
    return frame;
  }

  #give(waiting: PromiseWithResolvers<unknown>, message: unknown): void {
    this.#waiting = undefined;
    waiting.resolve(message);
  }

  #refuse(waiting: PromiseWithResolvers<unknown>, reason: unknown): void {
    this.#waiting = undefined;
    waiting.reject(reason);
  }
}
