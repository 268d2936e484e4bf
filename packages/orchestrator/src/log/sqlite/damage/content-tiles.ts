// Content check, Merkle tree: every tile is present, and has the roots of the tiles below it.

import type { Database } from "bun:sqlite";
import { HASH_BYTES, MerkleTile, TILE_HEIGHT, TILE_WIDTH } from "../../tree/merkle-tile.ts";
import { tileSum } from "../checksum.ts";
import { tileId } from "../sqlite-tiles.ts";
import { type Add, UNFIT } from "./content-problem.ts";

export function checkTiles(db: Database, head: number, add: Add): void {
  using tiles = db.prepare<{ id: number; hashes: Uint8Array; sum: number }, [from: number, to: number]>(
    "SELECT id, hashes, sum FROM tile WHERE id BETWEEN ? AND ? ORDER BY id",
  );
  /** The roots of the tiles of the level below; `undefined` where one is damaged. */
  let roots: (Uint8Array | undefined)[] | undefined;
  let level = 0;
  for (let count = down(head); count > 0; level++, count = down(count)) {
    const found = new Array<Uint8Array | undefined>(count).fill(undefined);
    let next = 0;
    const gone = (until: number): void => {
      for (; next < until; next++) add({ kind: "tile", level, index: next, why: "it is gone" });
    };
    for (const { id, hashes, sum } of tiles.iterate(tileId(level, 0), tileId(level, count - 1))) {
      const index = id - tileId(level, 0);
      gone(index);
      next = index + 1;
      const bad = (why: string): void => add({ kind: "tile", level, index, why });
      if (tileSum(level, index, hashes) !== sum) bad(UNFIT);
      else if (hashes.length !== TILE_WIDTH * HASH_BYTES) bad(`it has ${hashes.length / HASH_BYTES} hashes`);
      else {
        const wrong = differing(hashes, roots, index);
        if (wrong !== undefined) bad(`its hash ${wrong} is not the root of the tile below`);
        found[index] = new MerkleTile(hashes).node(TILE_HEIGHT, 0).slice();
      }
    }
    gone(count);
    roots = found;
  }
  using strays = db.prepare<{ level: number; idx: number }, [head: number]>(
    "SELECT level, idx FROM tile WHERE level < 0 OR level > 6 OR (idx + 1) << (8 * (level + 1)) > ?",
  );
  for (const { level: at, idx: index } of strays.iterate(head)) {
    add({ kind: "tile", level: at, index, why: "the entries that it is of are gone" });
  }
}

const down = (count: number): number => Math.floor(count / TILE_WIDTH);

/** The index of the first hash that is not the root of the tile below it. */
function differing(
  hashes: Uint8Array,
  roots: readonly (Uint8Array | undefined)[] | undefined,
  index: number,
): number | undefined {
  if (roots === undefined) return undefined;
  for (let i = 0; i < hashes.length / HASH_BYTES; i++) {
    const root = roots[index * TILE_WIDTH + i];
    if (root !== undefined && Buffer.compare(root, hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)) !== 0)
      return i;
  }
  return undefined;
}
