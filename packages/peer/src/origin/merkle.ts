// The tree under an origin's signature: RFC 6962 §2.1's hashing over leaves that stand in the order of their names, and its
// flat form, in which what is not told stands as a hash. Knows nothing of signatures; whatever it is given, it does not throw.

import { hash } from "node:crypto";
import { LEAVES, type Leaf, type Pruned } from "../wire/message.ts";

export type Item = Leaf | Pruned;

export const isLeaf = (item: Item): item is Leaf => typeof item[0] === "string";

/** Neither a name nor a digest can contain the blank that ends it, so that no two leaves are the same bytes. */
const leafHash = ([name, digest, repeatable]: Leaf): Buffer =>
  hash("sha256", repeatable === undefined ? `\0${name} ${digest}` : `\0${name} ${digest} ${repeatable}`, "buffer");

/** Written anew for each interior node; never kept. */
const scratch = Buffer.alloc(65, 1);

function interiorHash(left: Buffer, right: Buffer): Buffer {
  left.copy(scratch, 1);
  right.copy(scratch, 33);
  return hash("sha256", scratch, "buffer");
}

/** RFC 6962 §2.1: the largest power of two smaller than `n`, which is 2 at least. */
const split = (n: number): number => 1 << (31 - Math.clz32(n - 1));

export type TreeReading = { readonly ok: true; readonly root: string } | { readonly ok: false; readonly text: string };

/**
 * The root over `items`, if they are the flat form of a tree of `size` leaves. There is one form for each set of leaves that
 * is told: what could be pruned as a whole is not pruned in halves. Names ascend, so that none is there twice.
 */
export function readTree(items: readonly Item[], size: number): TreeReading {
  if (!Number.isInteger(size) || size < 1 || size > LEAVES) return { ok: false, text: `a chunk of ${size} leaves` };
  const reader = new TreeReader(items);
  const root = reader.read(size);
  if (root === undefined) return { ok: false, text: reader.text };
  if (reader.next !== items.length) return { ok: false, text: `more than the chunk's ${size} leaves` };
  if (reader.last === undefined) return { ok: false, text: "a chunk of which no route is told" };
  return { ok: true, root: root.toString("base64url") };
}

class TreeReader {
  next = 0;
  text = "";
  last: string | undefined;
  /** Whether what was read last is pruned as a whole. */
  private pruned = false;

  constructor(private readonly items: readonly Item[]) {}

  read(n: number): Buffer | undefined {
    const item = this.items[this.next];
    if (item === undefined) return this.refuse("fewer leaves than the chunk has");
    if (!isLeaf(item) && item[0] === n) return this.readPruned(item);
    if (n === 1)
      return isLeaf(item) ? this.readLeaf(item) : this.refuse(`a subtree of ${item[0]} leaves where none is`);
    const half = split(n);
    const left = this.read(half);
    if (left === undefined) return undefined;
    const leftPruned = this.pruned;
    const right = this.read(n - half);
    if (right === undefined) return undefined;
    if (leftPruned && this.pruned) return this.refuse("two pruned halves of one subtree");
    this.pruned = false;
    return interiorHash(left, right);
  }

  private readPruned(item: Pruned): Buffer | undefined {
    const bytes = Buffer.from(item[1], "base64url");
    if (bytes.length !== 32) return this.refuse("a subtree's hash that is not 32 bytes");
    this.next += 1;
    this.pruned = true;
    return bytes;
  }

  private readLeaf(leaf: Leaf): Buffer | undefined {
    const name = leaf[0];
    if (this.last !== undefined && !(this.last < name))
      return this.refuse("leaves that do not stand in the order of their names");
    // UTF-8 has U+FFFD for every lone surrogate: two names would have one hash.
    if (!name.isWellFormed()) return this.refuse("a name that is not well-formed Unicode");
    this.last = name;
    this.next += 1;
    this.pruned = false;
    return leafHash(leaf);
  }

  private refuse(text: string): undefined {
    this.text = text;
  }
}

/** The flat form that tells only leaves whose names are in `keep`, of those that `items` tell. `items` are a tree of `size` leaves. */
export function pruneTree(items: readonly Item[], size: number, keep: ReadonlySet<string>): readonly Item[] {
  if (items.every((item) => !isLeaf(item) || keep.has(item[0]))) return items;
  const out: Item[] = [];
  let next = 0;
  /** The hash of a range of which nothing is kept, and which is therefore not in `out`; else `undefined`. */
  const walk = (n: number): Buffer | undefined => {
    const item = items[next] as Item;
    if (!isLeaf(item) && item[0] === n) {
      next += 1;
      return Buffer.from(item[1], "base64url");
    }
    if (n === 1) {
      next += 1;
      if (!keep.has((item as Leaf)[0])) return leafHash(item as Leaf);
      out.push(item);
      return undefined;
    }
    const half = split(n);
    const at = out.length;
    const left = walk(half);
    if (left !== undefined) out.push([half, ""]);
    const right = walk(n - half);
    if (left === undefined) {
      if (right !== undefined) out.push([n - half, right.toString("base64url")]);
      return undefined;
    }
    if (right === undefined) {
      out[at] = [half, left.toString("base64url")];
      return undefined;
    }
    out.length = at;
    return interiorHash(left, right);
  };
  const whole = walk(size);
  if (whole !== undefined) out.push([size, whole.toString("base64url")]);
  return out;
}
