// Content check, groups: their checksums, their sequence, and their leaves in the Merkle tree.

import type { Database } from "bun:sqlite";
import { blobsOf } from "../../entry-parts.ts";
import { HASH_BYTES, TILE_WIDTH } from "../../tree/merkle-tile.ts";
import { groupSum, tileSum } from "../checksum.ts";
import { eachLeaf, textsOf } from "../group.ts";
import { tileId } from "../sqlite-tiles.ts";
import type { StoredGroup } from "../statements.ts";
import { type Add, UNFIT } from "./content-problem.ts";

/** The most entries to assume for a damaged last group, whose count may be damaged too: no group was ever larger. */
const MOST_BELIEVED = 2 ** 17;

/** Returns the head. @param named filled with how often entries name each blob */
export function checkGroups(db: Database, oldest: number, named: Map<string, number>, add: Add): number {
  using all = db.prepare<StoredGroup, []>("SELECT first, n, at, born, body, sum FROM log ORDER BY first");
  using tile = db.prepare<{ hashes: Uint8Array; sum: number }, [index: number]>(
    "SELECT hashes, sum FROM tile WHERE id = ?",
  );
  const leaves = new Leaves((index) => {
    const stored = tile.get(tileId(0, index));
    const fits = stored !== null && tileSum(0, index, stored.hashes) === stored.sum;
    return fits && stored.hashes.length === TILE_WIDTH * HASH_BYTES ? stored.hashes : undefined;
  });
  let head = oldest - 1;
  let lastAt = 0;
  // Damaged groups, whose numbers may be wrong too: the next intact group shows where they end.
  let unfit: StoredGroup[] = [];
  for (const group of all.iterate()) {
    const { first, n, at, born, body, sum } = group;
    if (n < 1 || groupSum(first, n, at, born, body) !== sum) {
      unfit.push(group);
      continue;
    }
    const last = first + n - 1;
    const bad = (why: string): void => add({ kind: "entries", first, last, why });
    if (first > head + 1) {
      add({ kind: "entries", first: head + 1, last: first - 1, why: unfit.length > 0 ? UNFIT : "they are gone" });
    } else {
      for (const one of unfit) add({ kind: "entries", first: one.first, last: one.first, why: UNFIT });
    }
    unfit = [];
    if (first <= head) bad("they are there twice");
    if (at < lastAt) bad("they are of before the entries before them");
    const texts = textsOf(body);
    if (texts.length !== n) bad(`there are ${texts.length}`);
    let seq = first;
    eachLeaf(body, (leaf) => {
      if (leaves.differ(seq, leaf))
        add({ kind: "entries", first: seq, last: seq, why: "its header is not the tree's" });
      seq++;
    });
    for (const name of texts.flatMap(blobsOf)) named.set(name, (named.get(name) ?? 0) + 1);
    lastAt = at;
    head = Math.max(head, last);
  }
  const end = unfit.at(-1);
  if (end === undefined) return head;
  const last = head + Math.max(1, Math.min(end.n, MOST_BELIEVED));
  add({ kind: "entries", first: head + 1, last, why: UNFIT });
  return last;
}

/** The leaf hashes in the tiles, read in order. */
class Leaves {
  readonly #read: (index: number) => Uint8Array | undefined;
  #index = -1;
  #hashes: Buffer | undefined;

  constructor(read: (index: number) => Uint8Array | undefined) {
    this.#read = read;
  }

  /** Whether the tree has a different leaf for the entry; `false` where it has none, or the tile is damaged. */
  differ(seq: number, leaf: Uint8Array): boolean {
    const index = Math.floor((seq - 1) / TILE_WIDTH);
    if (index !== this.#index) {
      this.#index = index;
      const hashes = this.#read(index);
      this.#hashes = hashes && Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength);
    }
    if (this.#hashes === undefined) return false;
    const at = ((seq - 1) % TILE_WIDTH) * HASH_BYTES;
    const hash = Bun.SHA256.hash(leaf) as Uint8Array;
    return this.#hashes.compare(hash, 0, HASH_BYTES, at, at + HASH_BYTES) !== 0;
  }
}
