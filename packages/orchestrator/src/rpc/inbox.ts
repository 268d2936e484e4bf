// Between the wire and capnweb's read loop: hands over one frame at a time, each only once the budget has admitted it, and none
// while a credential is being verified. capnweb has evaluated a message, synchronously and scope methods that need no promised
// argument included, when it calls `receive` again or, patched (ADR 0010), when its listener returns. That is what makes the
// judgement sound: when a frame is judged, all frames before it have begun, and an authentication among them has been announced.

import type { SessionBudget } from "./budget.ts";

/** What a queued string costs beside its text, so that empty frames are not free. */
const BYTES_A_FRAME = 64;
/**
 * Of frames that waited together so much is evaluated in one turn of the loop, or one frame: what is answered leaves between, and the
 * peer says the next thing while we take the one before; and nobody waits for a burst of somebody else's.
 */
const BYTES_A_TURN = 128 * 1024;
/** More than that waits already: it is taken as fast as it can be. */
const MOST_PUT_OFF = 16 * 1024 * 1024;

/** Takes messages as they come, without a promise each; what `message` throws comes back as the session's end. */
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
  /** Since the loop was last let turn for it. */
  #taken = 0;
  /** Messages of our own making, which go first and are nobody's to pay for. */
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

  /** The peer said that it ends the session: what capnweb then aborts with is the peer's own error. */
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
      // The budget has told everyone who listens, this inbox first.
    }
  }

  /** A message to be evaluated next, without being judged. */
  inject(message: unknown): void {
    this.#internal.push(message);
    this.#serve();
  }

  /** Instead of `receive`: calls back with one message after another, under the same rule. */
  listen(listener: Listener): void {
    this.#listener = listener;
    this.#serve();
  }

  receive(): Promise<unknown> {
    // The common case, without the cost of resolvers: 60,000 frames a second come this way.
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

  /** The session ends: after what has arrived, or at once. */
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
   * Evaluating a message may bring another (`inject`) or end the session: the loop that is running sees to both. Frames that
   * waited together go as far apart as `receive` gives them, for a call on an earlier promise must begin before the next frame.
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

  /** When the frame behind one may be handed over. */
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
      // Frames that were handed over must not stay in memory behind one that still waits.
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
