// Which incarnation of each origin we have seen, by the key that it signed with. What an earlier one announced is void,
// after a grace: while an origin comes back its old paths are replaced one by one, and none of them needs to be
// withdrawn (RFC 4724).

import type { NodeId } from "../wire/names.ts";

interface Incarnations {
  highest: number;
  /** Of earlier ones than this nothing counts any more. */
  floor: number;
  /** Those that will be the floor, the earliest first. */
  readonly rises: Rise[];
}

interface Rise {
  readonly epoch: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** Milliseconds: all paths are looked through when one is due, and liars must not make that often. */
const DUE_TOGETHER = 1000;

export class Epochs {
  readonly #grace: number;
  readonly #origins = new Map<NodeId, Map<string, Incarnations>>();
  /** Times of all rises that are yet to come, in their order: the grace is the same for all. */
  #due: number[] = [];
  #size = 0;

  constructor(grace: number) {
    this.#grace = grace;
  }

  get size(): number {
    return this.#size;
  }

  /** Rises of that key's that are yet to come. */
  rising(node: NodeId, key: string): number {
    return this.#origins.get(node)?.get(key)?.rises.length ?? 0;
  }

  /** A chunk of that incarnation was verified. `keys` as below, that one among them. */
  record(node: NodeId, key: string, epoch: number, keys: readonly string[], now: number): void {
    const before = this.highest(node, keys);
    const known = this.#incarnations(node, key);
    if (epoch > known.highest) known.highest = epoch;
    // The first that we hear of an origin ends nothing.
    if (before === undefined || epoch === before) return;
    if (epoch > before) this.#end(known, epoch, now);
    else this.#endBefore(node, keys, before, now);
  }

  /** `keys`: those whose word counts together, because all of them are known as that node's. */
  highest(node: NodeId, keys: readonly string[]): number | undefined {
    const origin = this.#origins.get(node);
    if (origin === undefined) return undefined;
    let highest = -1;
    for (const key of keys) highest = Math.max(highest, origin.get(key)?.highest ?? -1);
    return highest < 0 ? undefined : highest;
  }

  /** Paths of earlier incarnations than this are void by now. */
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

  /** When paths become void next. */
  deadline(): number | undefined {
    return this.#due[0];
  }

  passed(now: number): void {
    const next = this.#due.findIndex((at) => at > now);
    this.#due = next < 0 ? [] : this.#due.slice(next);
  }

  /** What is of an earlier incarnation than that one of theirs is here: since their keys count together, if not for longer. */
  #endBefore(node: NodeId, keys: readonly string[], epoch: number, now: number): void {
    for (const key of keys) {
      const known = this.#origins.get(node)?.get(key);
      if (known?.highest !== epoch || known.floor === epoch || known.rises.at(-1)?.epoch === epoch) continue;
      this.#end(known, epoch, now);
    }
  }

  /** What is earlier than `epoch` is void when the grace is over. */
  #end(known: Incarnations, epoch: number, now: number): void {
    const at = Math.ceil((now + this.#grace) / DUE_TOGETHER) * DUE_TOGETHER;
    // One that rises with every update is not remembered update by update.
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

  /** An origin that begins anew. What it said of later incarnations, and is still on its way, counts again when it comes. */
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
