// Callbacks of callers: a message is plain data, so that the edge keeps the callback here and puts a reference in its place.
// A reference is random, so that nobody names another's; it ends with the session that brought it.

import { FaultError, fault } from "../fault/fault.ts";
import type { Awaitable } from "../log/log.ts";
import { Told } from "../pipeline/told.ts";
import type { Live } from "../plugin/plugin.ts";

/** What a callback is over RPC: a stub, which has to be dup'ed to be kept (capnweb), and says when its session has ended. */
interface Stub {
  (...args: readonly unknown[]): unknown;
  dup?(): Stub;
  onRpcBroken?(callback: (error: unknown) => void): void;
  [Symbol.dispose]?(): void;
}

/** The callbacks that one session brought, and who is told of its end. */
export interface LiveSession {
  /** Whether the session outlives the call: a batch does not. */
  readonly lasting: boolean;
  /**
   * What `ask` answers, which is given the data with a reference in the place of each callback among `fields`. Whoever is refused
   * keeps nothing here: a message that fails gives its callbacks back. @throws FaultError LIVE_UNAVAILABLE
   */
  asking<T>(data: unknown, fields: readonly string[] | undefined, ask: (plain: unknown) => Awaitable<T>): Awaitable<T>;
  /** Calls back once, when the session ends; at once, where it has. Answers how to stop that. */
  onEnd(callback: (why: string) => void): () => void;
  end(why: string): void;
}

/** A callback is kept for as long as its session lives, or until whoever took it gives it back. */
const MOST_CALLBACKS_A_SESSION = 1024;

export class Lives {
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
        // A function of its own: whoever listens twice is told twice.
        const listener = (why: string): void => callback(why);
        if (over === undefined) listeners.add(listener);
        else listener(over);
        return () => listeners.delete(listener);
      },
      asking: (data, fields = [], ask) => {
        if (typeof data !== "object" || data === null) return ask(data);
        const callbacks = fields.filter((field) => isCallback((data as Record<string, unknown>)[field]));
        if (callbacks.length === 0) return ask(data);
        // What was on its way when the session ended comes in behind its end.
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
    // Last: that of a session that is broken already says so at once.
    live.watch();
    return live;
  }
}

/** What `ask` answers; `failed` is called where it throws or rejects. */
function orElse<T>(ask: () => Awaitable<T>, failed: () => void): Awaitable<T> {
  const raise = (thrown: unknown): never => {
    failed();
    throw thrown;
  };
  try {
    const answer = ask();
    return answer instanceof Promise || answer instanceof Told ? answer.then(undefined, raise) : answer;
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
    // A callback answers data. Stubs in it would be kept until its session ends, as many as its peer likes.
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
      // The session that it belonged to is gone already.
    }
    for (const listener of [...this.#listeners]) listener(why);
    this.#listeners.clear();
  }
}
