// An answer that is told once what it was decided on is durable. Of each call there is one, and so it is no promise: who asks with
// `whenSettled` is called back in place, as entries become durable (capnweb as we patch it, ADR 0010). To everybody else it is a promise.

import type { FaultError } from "../fault/fault.ts";

export class Told<T = unknown> implements PromiseLike<T> {
  /** The entry that it waits for. */
  readonly seq: number;
  readonly #tell: () => T;
  #finish: ((value: T) => unknown) | undefined;
  #ended: (() => void) | undefined;
  #fulfilled: ((value: T) => void) | undefined;
  #rejected: ((reason: unknown) => void) | undefined;
  #settled: { readonly value: T } | { readonly reason: unknown } | undefined;
  #promise: Promise<T> | undefined;

  /** @param tell what is told then, or thrown */
  constructor(seq: number, tell: () => T) {
    this.seq = seq;
    this.#tell = tell;
  }

  /** What is told goes through `finish`, and `ended` is called once it is, either way; to be called once, and before anybody asks. */
  through(finish: (value: T) => unknown, ended: () => void): this {
    this.#finish = finish;
    this.#ended = ended;
    return this;
  }

  /** Calls one of the two back, once: at once where it is settled. To be called once. */
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

/** What one caller's callback throws is a bug of it, and stops nobody else from being told. */
function callBack<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (thrown) {
    void Promise.reject(thrown);
  }
}
