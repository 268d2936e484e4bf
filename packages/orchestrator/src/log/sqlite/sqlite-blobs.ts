// Blobs: the contents of parts that are too long for their entries, each stored once, with the number of parts that name it.
// Everything here runs in the caller's transaction.

import { blobsOf } from "../entry-parts.ts";
import type { NewEntry } from "../log.ts";
import { blobSum, damaged } from "./checksum.ts";
import type { Statements } from "./statements.ts";

const utf8 = new TextEncoder();

export class SqliteBlobs {
  readonly #do: Statements;

  constructor(statements: Statements) {
    this.#do = statements;
  }

  /** @throws FaultError `LOG_DAMAGED` where the content does not have the digest in its name */
  get(name: string): string | undefined {
    const row = this.#do.blob.get(name);
    if (row === null) return undefined;
    if (`sha256-${Bun.SHA256.hash(row.body, "hex")}` !== name)
      throw damaged(`the blob ${name}`, "its content has another digest");
    return Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength).toString("utf8");
  }

  /** Stores new blobs and counts references. @throws Error where a part names a blob that does not exist: a caller's bug */
  add(entries: readonly NewEntry[]): void {
    for (const { id, text, blobs } of entries) {
      // An entry without `blobs` names none, and need not be searched.
      if (blobs === undefined || blobs.length === 0) continue;
      const given = new Map(blobs.map((blob) => [blob.name, blob.text]));
      for (const name of blobsOf(text)) {
        const refs = this.#refs(name);
        const content = given.get(name);
        if (refs > 0) this.#do.countBlob.run(refs + 1, blobSum(name, refs + 1), name);
        else if (content !== undefined) this.#do.addBlob.run(name, 1, blobSum(name, 1), utf8.encode(content));
        else throw new Error(`entry ${id} names ${name}, which is neither given with it nor kept`);
      }
    }
  }

  /** Removes one reference, and the blob with the last one. */
  release(name: string): void {
    const refs = this.#refs(name);
    if (refs > 1) this.#do.countBlob.run(refs - 1, blobSum(name, refs - 1), name);
    else this.#do.removeBlob.run(name);
  }

  #refs(name: string): number {
    const row = this.#do.blobRefs.get(name);
    if (row === null) return 0;
    if (blobSum(name, row.refs) !== row.sum) throw damaged(`the blob ${name}`, "the checksum does not fit");
    return row.refs;
  }
}
