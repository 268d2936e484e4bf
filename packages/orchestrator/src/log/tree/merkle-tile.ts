// A tile of the tree: up to 256 hashes of one level, and the nodes above them up to the tile's root, each hashed once and only
// when it is asked for. The hashes of a level above the lowest are the roots of complete tiles below.

export const HASH_BYTES = 32;
/** Hashes in a complete tile, and the levels of the tree that it spans. */
export const TILE_WIDTH = 256;
export const TILE_HEIGHT = 8;

// Hashes are moved as 32-bit words: for so few bytes that was measured at a third of what `set` and a view of them take.
const HASH_WORDS = HASH_BYTES / 4;
/** A node on its way into the hash: 0x01, left, right (RFC 6962 §2.1), of which the last two lie on a word's bound. */
const nodeMemory = new ArrayBuffer(4 + 2 * HASH_BYTES);
const node = new Uint8Array(nodeMemory, 3);
const nodeWords = new Uint32Array(nodeMemory, 4);
node[0] = 1;
const result = new Uint8Array(HASH_BYTES);
const resultWords = new Uint32Array(result.buffer);

/** Hashes two into `to`, which may be one of them. */
export function hashNode(left: Uint8Array, right: Uint8Array, to: Uint8Array): void {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  Bun.SHA256.hash(node, to);
}

export class MerkleTile {
  /** By height: the hashes given, then the nodes above them. */
  readonly #rows: Uint32Array[] = [new Uint32Array(TILE_WIDTH * HASH_WORDS)];
  /** How many of each are hashed. */
  readonly #hashed = new Uint16Array(TILE_HEIGHT + 1);
  #count: number;

  constructor(hashes: Uint8Array = new Uint8Array(0)) {
    this.#count = hashes.length / HASH_BYTES;
    bytesOf(this.#rows[0] as Uint32Array).set(hashes);
  }

  get count(): number {
    return this.#count;
  }

  /** The hashes so far: a view, until the next `push`. */
  get hashes(): Uint8Array {
    return bytesOf(this.#rows[0] as Uint32Array).subarray(0, this.#count * HASH_BYTES);
  }

  /** Takes a copy. */
  push(hash: Uint8Array): void {
    bytesOf(this.#rows[0] as Uint32Array).set(hash, this.#count++ * HASH_BYTES);
  }

  /** Hashes `data`, and takes that. */
  pushHashOf(data: Uint8Array | string): void {
    Bun.SHA256.hash(data, result);
    const row = this.#rows[0] as Uint32Array;
    for (let from = 0, to = this.#count * HASH_WORDS; from < HASH_WORDS; ) row[to++] = resultWords[from++] as number;
    this.#count++;
  }

  /** Forgets all hashes but the first `count`. */
  truncate(count: number): void {
    this.#count = count;
    for (let height = 1; height <= TILE_HEIGHT; height++) {
      this.#hashed[height] = Math.min(this.#hashed[height] as number, count >> height);
    }
  }

  /** The node at `height` over the hashes from `index << height` on, all of which are there: a view. */
  node(height: number, index: number): Uint8Array {
    const row = height === 0 ? (this.#rows[0] as Uint32Array) : this.#row(height, index + 1);
    return bytesOf(row).subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }

  /** The nodes at `height`, of which the first `upTo` are hashed. */
  #row(height: number, upTo: number): Uint32Array {
    if (height === 0) return this.#rows[0] as Uint32Array;
    const below = this.#row(height - 1, upTo * 2);
    const row = this.#rows[height] ?? new Uint32Array((TILE_WIDTH >> height) * HASH_WORDS);
    this.#rows[height] = row;
    for (let index = this.#hashed[height] as number; index < upTo; index++) {
      for (let from = index * 2 * HASH_WORDS, to = 0; to < 2 * HASH_WORDS; ) nodeWords[to++] = below[from++] as number;
      Bun.SHA256.hash(node, result);
      for (let from = 0, to = index * HASH_WORDS; from < HASH_WORDS; ) row[to++] = resultWords[from++] as number;
    }
    this.#hashed[height] = Math.max(this.#hashed[height] as number, upTo);
    return row;
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer);
}
