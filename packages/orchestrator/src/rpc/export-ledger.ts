// Keeps account of one session's export table from outside of capnweb: which pushes are not over yet, what they hold in memory, and how many
// values their references copy. A push is over when the peer has released it *and* its result was sent, because a released call that waits
// for another still holds its arguments. It only counts; SessionBudget compares with the limits and refuses.

import type { InspectedFrame, InspectedMap } from "./frame.ts";

/** What a callback of the peer's costs, in small values: it is an entry in our import table. */
const VALUES_A_CALLBACK = 64;

interface Push {
  readonly bytes: number;
  /** Whether it is a call. Until its result is known, that is taken to be as large as the largest of the session. */
  readonly isCall: boolean;
  readonly fixed: number;
  references: readonly (Push | undefined)[];
  /** Copied once for every element of the map that this push is. */
  captures: readonly (Push | undefined)[];
  map: InspectedMap | undefined;
  /** Values that evaluating the push copies; an upper bound. */
  copies: number;
  pulled: boolean;
  settled: boolean;
  released: boolean;
  /** Pulled by us, not by the peer, in order to learn when it ends. */
  silent: boolean;
}

const NONE: readonly (Push | undefined)[] = [];

export class ExportLedger {
  /** References to our stubs that the peer has not given back. */
  stubs = 0;
  /** Code units of the pushes that are not over. */
  bytes = 0;
  /** Values copied by the pushes that are not over. */
  copies = 0;
  readonly #pushes = new Map<number, Push>();
  /** Pushes whose cost depends on results that are still to come, oldest first. */
  readonly #growing = new Set<Push>();
  // capnweb numbers pushes by counting them; 0 is the main object.
  #last = 0;
  #largest = 1;
  #longest = 1;

  get live(): number {
    return this.#pushes.size + this.stubs;
  }

  /** The most steps that a map still in flight takes for one element. */
  get heaviestMap(): number {
    let heaviest = 0;
    for (const push of this.#growing) {
      if (push.map && push.map.instructions > heaviest) heaviest = push.map.instructions;
    }
    return heaviest;
  }

  push(frame: InspectedFrame, bytes: number): void {
    const { map } = frame;
    const push: Push = {
      bytes,
      isCall: map === undefined && frame.calls > 0 && !isProperty(frame),
      fixed: frame.callbacks * VALUES_A_CALLBACK,
      references: frame.references.length === 0 ? NONE : frame.references.map(this.#target),
      captures:
        map === undefined || map.captureReferences.length === 0 ? NONE : map.captureReferences.map(this.#target),
      map,
      copies: 0,
      pulled: false,
      settled: false,
      released: false,
      silent: false,
    };
    if (map) {
      // All elements together are the subject, so a reference to the element copies the subject once, not once an element.
      const subject = this.#target(map.subject);
      push.references = [...push.references, subject, ...Array(map.variableReferences).fill(subject)];
    }
    this.#pushes.set(++this.#last, push);
    this.bytes += bytes;
    if (map === undefined && push.references.length === 0 && push.fixed === 0) return;
    this.#growing.add(push);
    this.#weigh(push);
  }

  pull(id: number): void {
    const push = this.#pushes.get(id);
    if (push) push.pulled = true;
  }

  /** Answers whether capnweb must be made to pull the push first: otherwise nobody would learn when it ends. */
  release(id: number, count: number): boolean {
    if (id < 0) {
      this.stubs -= count;
      return false;
    }
    const push = this.#pushes.get(id);
    if (!push) return false;
    push.released = true;
    if (push.settled) {
      this.#forget(id, push);
      return false;
    }
    if (push.pulled) return false;
    push.pulled = true;
    push.silent = true;
    return true;
  }

  /** The push's result is about to be sent. Answers whether the peer never asked for it, so that it must not be sent. */
  settled(id: number): boolean {
    const push = this.#pushes.get(id);
    if (!push) return false;
    push.settled = true;
    this.#growing.delete(push);
    // Nothing of what it refers to is copied again; its own count stays until it is released.
    push.references = push.captures = NONE;
    if (push.released) this.#forget(id, push);
    return push.silent;
  }

  /** A call gave a result of so many values, with a longest list of that length: calls in flight may give as much. */
  grow(values: number, longest: number): void {
    // Rounded up to powers of two, so that slowly growing results make us add up again only a few dozen times.
    const largest = powerOfTwoAbove(values);
    const rounded = powerOfTwoAbove(longest);
    if (largest <= this.#largest && rounded <= this.#longest) return;
    this.#largest = Math.max(this.#largest, largest);
    this.#longest = Math.max(this.#longest, rounded);
    for (const push of this.#growing) this.#weigh(push);
  }

  /** How many values a frame copies that is no push, and so is over at once. */
  cost(frame: InspectedFrame): number {
    let copies = frame.callbacks * VALUES_A_CALLBACK;
    for (const id of frame.references) copies += this.#size(this.#target(id));
    return copies;
  }

  readonly #target = (id: number): Push | undefined => this.#pushes.get(id);

  #weigh(push: Push): void {
    const { map } = push;
    let copies = push.fixed;
    for (const target of push.references) copies += this.#size(target);
    if (map) {
      let element = map.values;
      for (const target of push.captures) element += this.#size(target);
      copies += this.#longest * element;
    }
    this.copies += copies - push.copies;
    push.copies = copies;
  }

  #size(target: Push | undefined): number {
    // Not a push: the main object or another stub, which is copied as a reference; or none, which capnweb refuses.
    if (target === undefined) return 1;
    return target.isCall ? this.#largest : target.copies;
  }

  #forget(id: number, push: Push): void {
    this.#pushes.delete(id);
    this.bytes -= push.bytes;
    this.copies -= push.copies;
  }
}

function isProperty(frame: InspectedFrame): boolean {
  const expression = frame.message[1];
  return Array.isArray(expression) && expression.length < 4;
}

function powerOfTwoAbove(count: number): number {
  return count <= 1 ? 1 : 2 ** Math.ceil(Math.log2(count));
}
