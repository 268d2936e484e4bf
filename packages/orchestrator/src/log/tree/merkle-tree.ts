// The writing side of the tree over the entries' headers (RFC 6962 §2.1), kept in tiles so that any root and any proof reads
// few of them. It shares no code with proof/, which checks what this makes. Where tiles are kept is the log's affair.

import type { LogTree } from "../log.ts";
import { HASH_BYTES, hashNode, MerkleTile, TILE_HEIGHT, TILE_WIDTH } from "./merkle-tile.ts";

/** Where complete tiles are kept. Level 0 has the leaves, each level above the roots of the tiles below it. */
export interface TileStore {
  /** The hashes of a tile that was written. @throws where it is gone or damaged */
  read(level: number, index: number): Uint8Array;
  /** Each tile once. `hashes` is a view, to be copied or stored at once. */
  write(level: number, index: number, hashes: Uint8Array): void;
}

/** A tree as it was before an append that may fail. */
export interface TreeMark {
  readonly size: number;
  readonly edge: readonly { readonly tile: MerkleTile; readonly count: number }[];
}

const EMPTY_ROOT: Uint8Array = Bun.SHA256.hash("") as Uint8Array;
/** Tiles that were read and may be asked for again: 16 kB each. A proof in a log of a billion entries needs eight. */
const MOST_CACHED = 32;

export class MerkleTree implements LogTree {
  readonly #store: TileStore;
  /** By level: the tile that grows. */
  #edge: MerkleTile[] = [];
  #size: number;
  readonly #cache = new Map<string, MerkleTile>();
  #root: { readonly size: number; readonly hash: Uint8Array } | undefined;

  /** `leaves` are the hashes of the last `size % 256` leaves, which no tile holds yet. */
  constructor(store: TileStore, size = 0, leaves = new Uint8Array(0)) {
    this.#store = store;
    this.#size = size;
    this.#edge.push(new MerkleTile(leaves));
    for (let level = 1, count = down(size); count > 0; level++, count = down(count)) {
      const tile = new MerkleTile();
      for (let index = down(count) * TILE_WIDTH; index < count; index++) {
        tile.push(new MerkleTile(store.read(level - 1, index)).node(TILE_HEIGHT, 0));
      }
      this.#edge.push(tile);
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Adds the leaf whose bytes, 0x00 and the header, are `data`. A complete tile goes into the store at once. */
  add(data: Uint8Array | string): void {
    const tile = this.#edge[0] as MerkleTile;
    tile.pushHashOf(data);
    if (tile.count === TILE_WIDTH) this.#complete(0, down(this.#size));
    this.#size++;
  }

  /** Adds a leaf of which only the hash is left. */
  addHash(hash: Uint8Array): void {
    const tile = this.#edge[0] as MerkleTile;
    tile.push(hash);
    if (tile.count === TILE_WIDTH) this.#complete(0, down(this.#size));
    this.#size++;
  }

  mark(): TreeMark {
    return { size: this.#size, edge: this.#edge.map((tile) => ({ tile, count: tile.count })) };
  }

  /** Makes the tree what it was at `mark`; what was stored since is for the store to undo. */
  undo({ size, edge }: TreeMark): void {
    this.#size = size;
    this.#edge = edge.map(({ tile }) => tile);
    for (const { tile, count } of edge) tile.truncate(count);
    if (this.#root !== undefined && this.#root.size > size) this.#root = undefined;
  }

  root(size = this.#size): Uint8Array {
    this.#checkSize(size);
    if (this.#root?.size !== size) this.#root = { size, hash: this.#range(0, size) };
    return this.#root.hash.slice();
  }

  inclusion(index: number, size: number): readonly Uint8Array[] {
    this.#checkSize(size);
    if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
      throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
    }
    const path: Uint8Array[] = [];
    for (let from = 0, to = size; to - from > 1; ) {
      const middle = from + split(to - from);
      const left = index < middle;
      path.push(left ? this.#range(middle, to) : this.#range(from, middle));
      if (left) to = middle;
      else from = middle;
    }
    return path.reverse();
  }

  consistency(from: number, to: number): readonly Uint8Array[] {
    this.#checkSize(to);
    if (!Number.isSafeInteger(from) || from < 0 || from > to) {
      throw new RangeError(`a tree of ${from} leaves is no prefix of one of ${to}`);
    }
    if (from === 0 || from === to) return [];
    const path: Uint8Array[] = [];
    let start = 0;
    let end = to;
    // Down to the subtree that ends where the old tree ended (RFC 6962 §2.1.2, SUBPROOF).
    while (end !== from) {
      const middle = start + split(end - start);
      if (from <= middle) {
        path.push(this.#range(middle, end));
        end = middle;
      } else {
        path.push(this.#range(start, middle));
        start = middle;
      }
    }
    // From 0 on it is the old tree itself, whose root the verifier has.
    if (start > 0) path.push(this.#range(start, end));
    return path.reverse();
  }

  leaves(index: number, count: number): Uint8Array {
    if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`there is no leaf ${index}`);
    const most = Math.max(0, Math.min(count, this.#size - index));
    const hashes = new Uint8Array(most * HASH_BYTES);
    for (let done = 0; done < most; ) {
      const at = index + done;
      const from = at % TILE_WIDTH;
      const here = Math.min(most - done, TILE_WIDTH - from);
      const tile = this.#tile(0, down(at)).hashes.subarray(from * HASH_BYTES, (from + here) * HASH_BYTES);
      hashes.set(tile, done * HASH_BYTES);
      done += here;
    }
    return hashes;
  }

  /** Stores the tile that has grown at this level, which is its `index`th, and gives its root to the level above. */
  #complete(level: number, index: number): void {
    const tile = this.#edge[level] as MerkleTile;
    this.#store.write(level, index, tile.hashes);
    // A new one, and not this one emptied: `undo` may need it back.
    this.#edge[level] = new MerkleTile();
    const above = this.#edge[level + 1] ?? new MerkleTile();
    this.#edge[level + 1] = above;
    above.push(tile.node(TILE_HEIGHT, 0));
    if (above.count === TILE_WIDTH) this.#complete(level + 1, down(index));
  }

  /** The root over the leaves from `from` to `to`, where `from` is a multiple of a power of two that is at least `to - from`. */
  #range(from: number, to: number): Uint8Array {
    if (to === 0) return EMPTY_ROOT;
    let hash: Uint8Array | undefined;
    // Complete subtrees from the right, the smallest first.
    for (let end = to; end > from; ) {
      let height = 0;
      let width = 1;
      while (end % (width * 2) === 0 && width * 2 <= end - from) {
        width *= 2;
        height++;
      }
      const node = this.#node(height, end / width - 1);
      if (hash === undefined) hash = node.slice();
      else hashNode(node, hash, hash);
      end -= width;
    }
    return hash as Uint8Array;
  }

  /** The root of a complete subtree of `2^height` leaves, the `index`th of its height. */
  #node(height: number, index: number): Uint8Array {
    const level = Math.floor(height / TILE_HEIGHT);
    const above = height % TILE_HEIGHT;
    const first = index * 2 ** above;
    return this.#tile(level, down(first)).node(above, (first % TILE_WIDTH) / 2 ** above);
  }

  #tile(level: number, index: number): MerkleTile {
    const count = Math.floor(this.#size / TILE_WIDTH ** level);
    if (index === down(count)) return this.#edge[level] as MerkleTile;
    const key = `${level}/${index}`;
    let tile = this.#cache.get(key);
    // What was used last is the last to go.
    if (tile !== undefined) this.#cache.delete(key);
    else tile = new MerkleTile(this.#store.read(level, index));
    this.#cache.set(key, tile);
    if (this.#cache.size > MOST_CACHED) this.#cache.delete(this.#cache.keys().next().value as string);
    return tile;
  }

  #checkSize(size: number): void {
    if (Number.isSafeInteger(size) && size >= 0 && size <= this.#size) return;
    throw new RangeError(`the tree has ${this.#size} leaves, and no first ${size}`);
  }
}

/** The largest power of two that is less than `n`: where RFC 6962 §2.1 divides a tree of `n` leaves. */
function split(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

const down = (index: number): number => Math.floor(index / TILE_WIDTH);

/** Tiles of a tree that lives as long as its process. */
export function memoryTiles(): TileStore {
  const tiles = new Map<string, Uint8Array>();
  return {
    read: (level, index) => tiles.get(`${level}/${index}`) as Uint8Array,
    write: (level, index, hashes) => void tiles.set(`${level}/${index}`, hashes.slice()),
  };
}
