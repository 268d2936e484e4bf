// An answer that waits until what it was decided on is durable. Every call makes one, so that it is cheaper than a promise: `whenSettled` calls
// back synchronously (our patch of capnweb uses it, ADR 0010). For everybody else it is a thenable (ADR 0034).

import type { FaultError } from "../fault/fault.ts";

export class DurableAnswer<T = unknown> implements PromiseLike<T> {
  /** The entry that it waits for. */
  readonly seq: number;
  readonly #tell: () => T;
  #finish: ((value: T) => unknown) | undefined;
  #ended: (() => void) | undefined;
  #fulfilled: ((value: T) => void) | undefined;
  #rejected: ((reason: unknown) => void) | undefined;
  #settled: { readonly value: T } | { readonly reason: unknown } | undefined;
  #promise: Promise<T> | undefined;

  /** @param tell gives the answer once the entry is durable, or throws it */
  constructor(seq: number, tell: () => T) {
    this.seq = seq;
    this.#tell = tell;
  }

  /** Passes the answer through `finish`, and calls `ended` when it is given or refused. Call it once, and before anybody waits. */
  through(finish: (value: T) => unknown, ended: () => void): this {
    this.#finish = finish;
    this.#ended = ended;
    return this;
  }

  /** Calls one of the two back; at once where it is settled already. Call it once. */
  whenSettled(fulfilled: (value: T) => void, rejected: (reason: unknown) => void): void {
    const settled = this.#settled;
    if (settled === undefined) {
      this.#fulfilled = fulfilled;
      this.#rejected = rejected;
    } else if ("value" in settled) fulfilled(settled.value);
    else rejected(settled.reason);
  }

  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= new Promise<T>((resolve, reject) => this.whenSettled(resolve, reject));
    return this.#promise.then(fulfilled, rejected);
  }

  /** For the committer: the entry is durable. */
  resolve(): void {
    let value: T;
    try {
      value = this.#tell();
      if (this.#finish !== undefined) value = this.#finish(value) as T;
    } catch (thrown) {
      this.#reject(thrown);
      return;
    }
    this.#ended?.();
    this.#settled = { value };
    callBack(this.#fulfilled, value);
  }

  /** For the committer: the entry was undone. */
  reject(error: FaultError): void {
    this.#reject(error);
  }

  #reject(reason: unknown): void {
    this.#ended?.();
    this.#settled = { reason };
    callBack(this.#rejected, reason);
  }
}

/** A callback that throws has a bug; it must not keep the others from being called. */
function callBack<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (thrown) {
    void Promise.reject(thrown);
  }
}
