// Content check, blobs: each has the digest in its name, and as many references as are counted.

import type { Database } from "bun:sqlite";
import { blobSum } from "../checksum.ts";
import { type Add, UNFIT } from "./content-problem.ts";

/** @param named how often entries name each blob */
export function checkBlobs(db: Database, named: ReadonlyMap<string, number>, add: Add): void {
  using all = db.prepare<{ name: string; refs: number; sum: number; body: Uint8Array }, []>(
    "SELECT name, refs, sum, body FROM blob",
  );
  const missing = new Set(named.keys());
  for (const { name, refs, sum, body } of all.iterate()) {
    missing.delete(name);
    const count = named.get(name) ?? 0;
    if (blobSum(name, refs) !== sum) add({ kind: "blob", name, why: UNFIT });
    else if (`sha256-${Bun.SHA256.hash(body, "hex")}` !== name) {
      add({ kind: "blob", name, why: "its content has another digest" });
    } else if (refs !== count) add({ kind: "blob", name, why: `${count} parts name it, and ${refs} are counted` });
  }
  for (const name of missing) add({ kind: "blob", name, why: "it is gone" });
}
