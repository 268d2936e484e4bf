// The tiles of the Merkle tree in a log's file, and how an opening restores the tree from them.

import { HASH_BYTES, TILE_WIDTH } from "../tree/merkle-tile.ts";
import { MerkleTree, type TileStore } from "../tree/merkle-tree.ts";
import { damaged, tileSum } from "./checksum.ts";
import { readable } from "./damage/unreadable.ts";
import { eachLeaf } from "./group.ts";
import type { SqliteGroups } from "./sqlite-groups.ts";
import type { Statements } from "./statements.ts";

type Access = Pick<Statements, "tile" | "putTile">;

/** Ids sort the tiles by level, and level 0, which has nearly all tiles, last, so that its tiles are appended. */
const LEVEL = 2 ** 48;
export const tileId = (level: number, index: number): number => index - level * LEVEL;

/** Writes complete tiles, in the transaction of the append that completed them. */
export function sqliteTiles({ tile, putTile }: Access): TileStore {
  return {
    read(level, index) {
      const name = `tile ${index} of level ${level} of the tree`;
      const stored = readable(() => tile.get(tileId(level, index)));
      if (stored === null) throw damaged(name, "it is gone");
      const { hashes, sum } = stored;
      if (tileSum(level, index, hashes) !== sum) throw damaged(name, "the checksum does not fit");
      if (hashes.length !== TILE_WIDTH * HASH_BYTES) throw damaged(name, `it has ${hashes.length / HASH_BYTES} hashes`);
      return hashes;
    },
    write(level, index, hashes) {
      putTile.run(tileId(level, index), hashes, tileSum(level, index, hashes));
    },
  };
}

/**
 * Restores the tree over the first `head` entries: from its tiles, and from the headers of the last entries, which are in no complete tile yet.
 * @throws FaultError `LOG_DAMAGED`
 */
export function openTree(statements: Access, groups: Pick<SqliteGroups, "stored">, head: number): MerkleTree {
  const inTiles = head - (head % TILE_WIDTH);
  const leaves = new Uint8Array((head - inTiles) * HASH_BYTES);
  for (let seq = inTiles + 1; seq <= head; ) {
    const { first, n, body } = groups.stored(seq);
    let at = first;
    eachLeaf(body, (leaf) => {
      if (at > inTiles) leaves.set(Bun.SHA256.hash(leaf) as Uint8Array, (at - inTiles - 1) * HASH_BYTES);
      at++;
    });
    seq = first + n;
  }
  return new MerkleTree(sqliteTiles(statements), head, leaves);
}
