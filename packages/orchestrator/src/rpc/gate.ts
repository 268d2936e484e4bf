// Output commit (DESIGN.md §2): nothing leaves the process before the head that it was decided on is durable. A session's frames wait here,
// in order. The answers in them are durable already (pipeline/answers.ts), so that they may leave also if later decisions are undone. It
// knows no socket.

import { FaultError } from "../fault/fault.ts";

/** What the gate needs to know of the log. */
export interface Durability {
  /** The newest position decided on. */
  readonly tip: number;
  /** The newest position on disk; never beyond `tip`. */
  readonly durable: number;
  /** Counts how often decided but undurable work was undone. `tip` is then back at `durable`. */
  readonly generation: number;
  /** Set while frames are sent that depend on nothing that may be undone (`sendUnheld`): they wait only for the frames before them. */
  readonly unheld?: boolean;
  /** Tells the log that somebody waits for what is decided. */
  hurry?(): void;
  /**
   * Calls back whenever `durable` advanced or work was undone; in the second case before anything new is decided, because positions are
   * then used again. An undo must come from a macrotask: replies settle in microtasks, and one still under way would be taken for one that
   * was decided after the undo. Answers a function that cancels this.
   */
  onAdvance(callback: () => void): () => void;
}

export interface GateOptions {
  readonly durability: Durability;
  /** Called with the frames that may leave, in order, as many as became durable together. */
  readonly sink: (frames: readonly string[]) => void;
  /** Code units that may wait; beyond it `send` throws SESSION_BUDGET. */
  readonly limit: number;
}

interface Waiting {
  readonly frame: string;
  readonly tip: number;
}

export class OutputGate {
  readonly #durability: Durability;
  readonly #sink: (frames: readonly string[]) => void;
  readonly #limit: number;
  #queue: Waiting[] = [];
  #bytes = 0;
  #generation: number;
  #stop: (() => void) | undefined;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: GateOptions) {
    this.#durability = options.durability;
    this.#sink = options.sink;
    this.#limit = options.limit;
    this.#generation = options.durability.generation;
  }

  /** Code units of the frames that wait. */
  get waiting(): number {
    return this.#bytes;
  }

  /** @param unheld the frame depends on no decision of this node */
  send(frame: string, unheld = false): void {
    if (this.#closed) return;
    const { durable } = this.#durability;
    const tip = unheld || this.#durability.unheld === true ? durable : this.#durability.tip;
    if (this.#queue.length === 0) {
      if (tip <= durable) {
        this.#sink([frame]);
        return;
      }
      // Listens only while something waits: ten thousand idle sessions cost the log no calls.
      this.#generation = this.#durability.generation;
      this.#stop = this.#durability.onAdvance(this.#advance);
    }
    this.#bytes += frame.length;
    if (this.#bytes > this.#limit) {
      this.close();
      throw new FaultError({
        code: "SESSION_BUDGET",
        message: `the session went over its outboundBytes budget of ${this.#limit}: more replies wait for the log than that`,
        details: { limit: "outboundBytes", size: this.#limit },
      });
    }
    this.#queue.push({ frame, tip });
    this.#durability.hurry?.();
  }

  /** Resolves once nothing waits. */
  idle(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The session is over: frames that wait are dropped. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#bytes = 0;
    this.#rest();
  }

  readonly #advance = (): void => {
    const { durable, generation } = this.#durability;
    let free = 0;
    while (free < this.#queue.length && (this.#queue[free] as Waiting).tip <= durable) free++;
    // The undurable decisions were undone: nothing is left to wait for.
    if (generation !== this.#generation) free = this.#queue.length;
    this.#generation = generation;
    if (free === 0) return;
    const released = this.#queue.splice(0, free).map((waiting) => waiting.frame);
    for (const frame of released) this.#bytes -= frame.length;
    if (this.#queue.length === 0) {
      this.#bytes = 0;
      this.#rest();
    }
    this.#sink(released);
  };

  #rest(): void {
    this.#stop?.();
    this.#stop = undefined;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
