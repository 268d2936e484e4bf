// The epochs (starts) of each origin that were seen, by the key that signed them. Routes of an earlier epoch become void after a
// grace time: while an origin comes back, its old paths are replaced one by one, and need not be
// withdrawn first (RFC 4724).

import type { NodeId } from "../wire/names.ts";

interface Incarnations {
  highest: number;
  /** Routes of earlier epochs are void. */
  floor: number;
  /** Future values of `floor`, the earliest first. */
  readonly rises: Rise[];
}

interface Rise {
  readonly epoch: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** Rises are rounded to this, in milliseconds, because each makes the RIB scan all paths: a liar must not cause that often. */
const DUE_TOGETHER = 1000;

export class Epochs {
  readonly #grace: number;
  readonly #origins = new Map<NodeId, Map<string, Incarnations>>();
  /** Times of all future rises, in order, because the grace time is the same for all. */
  #due: number[] = [];
  #size = 0;

  constructor(grace: number) {
    this.#grace = grace;
  }

  get size(): number {
    return this.#size;
  }

  /** How many rises of that key are in the future. */
  rising(node: NodeId, key: string): number {
    return this.#origins.get(node)?.get(key)?.rises.length ?? 0;
  }

  /** A chunk of that epoch was verified. @param keys as in `highest`; they include `key` */
  record(node: NodeId, key: string, epoch: number, keys: readonly string[], now: number): void {
    const before = this.highest(node, keys);
    const known = this.#incarnations(node, key);
    if (epoch > known.highest) known.highest = epoch;
    // The first known epoch of an origin voids nothing.
    if (before === undefined || epoch === before) return;
    if (epoch > before) this.#end(known, epoch, now);
    else this.#endBefore(node, keys, before, now);
  }

  /** The highest epoch that was seen. @param keys which count together, because all are known as that node's */
  highest(node: NodeId, keys: readonly string[]): number | undefined {
    const origin = this.#origins.get(node);
    if (origin === undefined) return undefined;
    let highest = -1;
    for (const key of keys) highest = Math.max(highest, origin.get(key)?.highest ?? -1);
    return highest < 0 ? undefined : highest;
  }

  /** Paths of earlier epochs than this are void now. */
  floor(node: NodeId, keys: readonly string[], now: number): number {
    const origin = this.#origins.get(node);
    if (origin === undefined) return 0;
    let floor = 0;
    for (const key of keys) {
      const known = origin.get(key);
      if (known === undefined) continue;
      for (let rise = known.rises[0]; rise !== undefined && rise.at <= now; rise = known.rises[0]) {
        known.floor = rise.epoch;
        known.rises.shift();
      }
      floor = Math.max(floor, known.floor);
    }
    return floor;
  }

  /** When paths become void next; monotonic milliseconds. */
  deadline(): number | undefined {
    return this.#due[0];
  }

  passed(now: number): void {
    const next = this.#due.findIndex((at) => at > now);
    this.#due = next < 0 ? [] : this.#due.slice(next);
  }

  /** A route of an epoch earlier than `epoch`, the highest of these keys, has come: such routes become void too. (The keys may count together only since now.) */
  #endBefore(node: NodeId, keys: readonly string[], epoch: number, now: number): void {
    for (const key of keys) {
      const known = this.#origins.get(node)?.get(key);
      if (known?.highest !== epoch || known.floor === epoch || known.rises.at(-1)?.epoch === epoch) continue;
      this.#end(known, epoch, now);
    }
  }

  /** Routes of epochs earlier than `epoch` become void after the grace time. */
  #end(known: Incarnations, epoch: number, now: number): void {
    const at = Math.ceil((now + this.#grace) / DUE_TOGETHER) * DUE_TOGETHER;
    // Several rises in one interval are merged, so that an epoch that rises with every update costs little memory.
    if (known.rises.at(-1)?.at === at) known.rises.pop();
    known.rises.push({ epoch, at });
    if (this.#due.at(-1) !== at) this.#due.push(at);
  }

  #incarnations(node: NodeId, key: string): Incarnations {
    let keys = this.#origins.get(node);
    if (keys === undefined) {
      keys = new Map();
      this.#origins.set(node, keys);
    }
    let known = keys.get(key);
    if (known === undefined) {
      known = { highest: -1, floor: 0, rises: [] };
      keys.set(key, known);
      this.#size += 1;
    }
    return known;
  }

  /** Lets an origin begin anew with any epoch. Updates of higher epochs that are still on their way count again when they arrive. */
  forget(node: NodeId): void {
    this.#size -= this.#origins.get(node)?.size ?? 0;
    this.#origins.delete(node);
  }

  /** Forgets keys that nobody needs: anybody can invent origins. */
  prune(needed: (node: NodeId, key: string) => boolean): void {
    for (const [node, keys] of this.#origins) {
      for (const key of keys.keys()) if (!needed(node, key) && keys.delete(key)) this.#size -= 1;
      if (keys.size === 0) this.#origins.delete(node);
    }
  }
}
