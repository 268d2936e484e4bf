// The parts that are too long for their entries, in memory: each content once, with the number of parts that name it.

import { blobsOf } from "../entry-parts.ts";
import type { NewEntry } from "../log.ts";

interface Counted {
  readonly text: string;
  readonly refs: number;
}

export class MemoryBlobs {
  readonly #blobs = new Map<string, Counted>();

  get(name: string): string | undefined {
    return this.#blobs.get(name)?.text;
  }

  /** Counts each part that names a blob. @throws Error where one names what there is not, before anything is counted: a caller's bug */
  add(entries: readonly NewEntry[]): void {
    const counted = new Map<string, Counted>();
    for (const { id, text, blobs = [] } of entries) {
      if (blobs.length === 0) continue;
      const given = new Map(blobs.map((blob) => [blob.name, blob.text]));
      for (const name of blobsOf(text)) {
        const known = counted.get(name) ?? this.#blobs.get(name);
        const content = known?.text ?? given.get(name);
        if (content === undefined)
          throw new Error(`entry ${id} names ${name}, which is neither given with it nor kept`);
        counted.set(name, { text: content, refs: (known?.refs ?? 0) + 1 });
      }
    }
    for (const [name, blob] of counted) this.#blobs.set(name, blob);
  }

  /** Takes back what `add` counted for one part. */
  release(name: string): void {
    const { text, refs } = this.#blobs.get(name) ?? { text: "", refs: 0 };
    if (refs > 1) this.#blobs.set(name, { text, refs: refs - 1 });
    else this.#blobs.delete(name);
  }
}
