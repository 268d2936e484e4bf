// The tree under an origin's signature: RFC 6962 §2.1's hashing over leaves that stand in the order of their names, and its
// flat form, in which what is not told stands as a hash. Knows nothing of signatures; whatever it is given, it does not throw.

import { hash } from "node:crypto";
import { LEAVES, type Leaf, type Pruned } from "../wire/message.ts";

export type Item = Leaf | Pruned;

export const isLeaf = (item: Item): item is Leaf => typeof item[0] === "string";

/** Neither a name nor a digest can contain the blank that ends it, so that no two leaves are the same bytes. */
const leafText = ([name, digest, repeatable]: Leaf): string =>
  repeatable === undefined ? `\0${name} ${digest}` : `\0${name} ${digest} ${repeatable}`;

const leafHash = (leaf: Leaf): Buffer => hash("sha256", leafText(leaf), "buffer");

/** What an interior node's hash is of: 0x01, and its halves' hashes, each written in its place. */
class Interior {
  readonly bytes = Buffer.alloc(65, 1);
  readonly left = this.bytes.subarray(1, 33);
  readonly right = this.bytes.subarray(33);
}

/** One for each level of the largest tree; written anew for each node, never kept. A buffer for each hash of a table would be litter. */
const interiors = Array.from({ length: Math.ceil(Math.log2(LEAVES)) }, () => new Interior());
const rootHash = Buffer.alloc(32);

function interiorHash(left: Buffer, right: Buffer): Buffer {
  const interior = interiors[0]!;
  left.copy(interior.left);
  right.copy(interior.right);
  return hash("sha256", interior.bytes, "buffer");
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
  if (!reader.read(size, 0, rootHash)) return { ok: false, text: reader.text };
  if (reader.next !== items.length) return { ok: false, text: `more than the chunk's ${size} leaves` };
  if (reader.last === undefined) return { ok: false, text: "a chunk of which no route is told" };
  return { ok: true, root: rootHash.toString("base64url") };
}

class TreeReader {
  next = 0;
  text = "";
  last: string | undefined;
  /** Whether what was read last is pruned as a whole. */
  private pruned = false;

  constructor(private readonly items: readonly Item[]) {}

  /** The hash of the range that comes next, of `n` leaves; `level`: interior nodes above it. @returns false: it is refused */
  read(n: number, level: number, into: Buffer): boolean {
    const item = this.items[this.next];
    if (item === undefined) return this.refuse("fewer leaves than the chunk has");
    if (!isLeaf(item) && item[0] === n) return this.readPruned(item, into);
    if (n === 1)
      return isLeaf(item) ? this.readLeaf(item, into) : this.refuse(`a subtree of ${item[0]} leaves where none is`);
    const half = split(n);
    const { bytes, left, right } = interiors[level]!;
    if (!this.read(half, level + 1, left)) return false;
    const leftPruned = this.pruned;
    if (!this.read(n - half, level + 1, right)) return false;
    if (leftPruned && this.pruned) return this.refuse("two pruned halves of one subtree");
    this.pruned = false;
    Bun.SHA256.hash(bytes, into);
    return true;
  }

  private readPruned(item: Pruned, into: Buffer): boolean {
    const bytes = Buffer.from(item[1], "base64url");
    if (bytes.length !== 32) return this.refuse("a subtree's hash that is not 32 bytes");
    bytes.copy(into);
    this.next += 1;
    this.pruned = true;
    return true;
  }

  private readLeaf(leaf: Leaf, into: Buffer): boolean {
    const name = leaf[0];
    if (this.last !== undefined && !(this.last < name))
      return this.refuse("leaves that do not stand in the order of their names");
    // UTF-8 has U+FFFD for every lone surrogate: two names would have one hash.
    if (!name.isWellFormed()) return this.refuse("a name that is not well-formed Unicode");
    this.last = name;
    this.next += 1;
    this.pruned = false;
    Bun.SHA256.hash(leafText(leaf), into);
    return true;
  }

  private refuse(text: string): false {
    this.text = text;
    return false;
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
