// Live callbacks of callers. A message is plain data, so that the edge keeps each callback here and puts a reference in its place. References
// are random, so that nobody can name another's; they end with the session that brought them.

import { FaultError, fault } from "../fault/fault.ts";
import { DurableAnswer } from "../log/durable-answer.ts";
import type { Awaitable } from "../log/log.ts";
import type { Live } from "../plugin/plugin.ts";

/** A callback over RPC: capnweb's stub. To be kept it must be dup'ed; it tells when its session has ended. */
interface Stub {
  (...args: readonly unknown[]): unknown;
  dup?(): Stub;
  onRpcBroken?(callback: (error: unknown) => void): void;
  [Symbol.dispose]?(): void;
}

/** The callbacks of one session, and the listeners for its end. */
export interface LiveSession {
  /** Whether the session outlives the call: a batch does not. */
  readonly lasting: boolean;
  /**
   * Calls `ask` with the data, in which references stand for the callbacks among `fields`, and answers what it answers. Where that throws or
   * rejects, the callbacks are released. @throws FaultError LIVE_UNAVAILABLE
   */
  asking<T>(data: unknown, fields: readonly string[] | undefined, ask: (plain: unknown) => Awaitable<T>): Awaitable<T>;
  /** Calls back once, when the session ends; at once, where it has. Answers how to stop that. */
  onEnd(callback: (why: string) => void): () => void;
  end(why: string): void;
}

/** A callback is kept until its session ends, or until the plugin that took it releases it. */
const MOST_CALLBACKS_A_SESSION = 1024;

export class LiveCallbacks {
  readonly #lives = new Map<string, KeptLive>();

  get(reference: string): Live | undefined {
    return this.#lives.get(reference);
  }

  /** Callbacks that are kept. */
  get size(): number {
    return this.#lives.size;
  }

  /** @param lasting whether the session outlives the call: a batch does not */
  session(lasting: boolean): LiveSession {
    const mine = new Set<KeptLive>();
    const listeners = new Set<(why: string) => void>();
    let over: string | undefined;
    return {
      lasting,
      onEnd(callback) {
        // A new function each time, so that a callback that is added twice is called twice.
        const listener = (why: string): void => callback(why);
        if (over === undefined) listeners.add(listener);
        else listener(over);
        return () => listeners.delete(listener);
      },
      asking: (data, fields = [], ask) => {
        if (typeof data !== "object" || data === null) return ask(data);
        const callbacks = fields.filter((field) => isCallback((data as Record<string, unknown>)[field]));
        if (callbacks.length === 0) return ask(data);
        // A message may still arrive after its session has ended.
        if (over !== undefined) throw new FaultError(fault("LIVE_UNAVAILABLE", over));
        if (!lasting) {
          const text = `"${callbacks[0]}": a callback needs a session that lasts, such as a WebSocket's`;
          throw new FaultError(fault("LIVE_UNAVAILABLE", text));
        }
        if (mine.size + callbacks.length > MOST_CALLBACKS_A_SESSION) {
          const text = `this session has ${mine.size} callbacks that are still in use; ${MOST_CALLBACKS_A_SESSION} at most`;
          throw new FaultError(fault("LIVE_UNAVAILABLE", text));
        }
        const plain: Record<string, unknown> = { ...data };
        const taken: KeptLive[] = [];
        for (const field of callbacks) {
          const live = this.#keep(plain[field] as Stub, mine);
          plain[field] = live.reference;
          taken.push(live);
        }
        return orElse(
          () => ask(plain),
          () => {
            for (const live of taken) live.gone("the message that brought it was refused");
          },
        );
      },
      end: (why) => {
        over ??= why;
        for (const live of [...mine]) live.gone(why);
        const told = [...listeners];
        listeners.clear();
        for (const listener of told) listener(over);
      },
    };
  }

  #keep(stub: Stub, mine: Set<KeptLive>): KeptLive {
    const reference = `live-${crypto.randomUUID()}`;
    const live = new KeptLive(reference, stub, () => {
      this.#lives.delete(reference);
      mine.delete(live);
    });
    this.#lives.set(reference, live);
    mine.add(live);
    // Last, because a stub of a broken session calls back at once.
    live.watch();
    return live;
  }
}

/** Answers what `ask` answers; calls `failed` where that throws or rejects. */
function orElse<T>(ask: () => Awaitable<T>, failed: () => void): Awaitable<T> {
  const raise = (thrown: unknown): never => {
    failed();
    throw thrown;
  };
  try {
    const answer = ask();
    return answer instanceof Promise || answer instanceof DurableAnswer ? answer.then(undefined, raise) : answer;
  } catch (thrown) {
    return raise(thrown);
  }
}

function isCallback(value: unknown): boolean {
  // capnweb's stubs are functions, whatever they stand for.
  return typeof value === "function";
}

class KeptLive implements Live {
  readonly reference: string;
  readonly #stub: Stub;
  readonly #forget: () => void;
  readonly #listeners = new Set<(why: string) => void>();
  #why: string | undefined;

  constructor(reference: string, stub: Stub, forget: () => void) {
    this.reference = reference;
    this.#stub = stub.dup?.() ?? stub;
    this.#forget = forget;
  }

  watch(): void {
    this.#stub.onRpcBroken?.(() => this.gone("its session ended"));
  }

  async call(...args: readonly unknown[]): Promise<unknown> {
    if (this.#why !== undefined) throw new FaultError(fault("LIVE_UNAVAILABLE", this.#why));
    const answer = await this.#stub(...args);
    // The answer should be data. Stubs in it are released, or a peer could make us keep any number until the session ends.
    if (this.#stub.dup !== undefined) (answer as Partial<Disposable> | null | undefined)?.[Symbol.dispose]?.();
    return answer;
  }

  onGone(callback: (why: string) => void): () => void {
    if (this.#why !== undefined) callback(this.#why);
    else this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  dispose(): void {
    this.gone("it was given back");
  }

  gone(why: string): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#forget();
    try {
      this.#stub[Symbol.dispose]?.();
    } catch {
      // Its session is gone already.
    }
    for (const listener of [...this.#listeners]) listener(why);
    this.#listeners.clear();
  }
}
