// Parts that are not there, and the entries that say why: a part is erased by `log.redact`, which is an entry itself. One that is
// gone without it was taken out by somebody else.

import type { PartLetter } from "../proof/entry-check.ts";

export class GoneParts {
  /** Entry → its parts that are gone. Few entries are redacted. */
  readonly #gone = new Map<number, Set<PartLetter>>();
  /** Entries that say so of parts that are gone, and the entries of those. */
  readonly #accounts = new Map<number, number>();
  #erased = 0;

  /** Parts that are gone. */
  get erased(): number {
    return this.#erased;
  }

  found(entry: number, parts: readonly PartLetter[]): void {
    if (parts.length === 0) return;
    this.#erased += parts.length;
    this.#gone.set(entry, new Set(parts));
  }

  /** Entry `by` says that the parts were erased. */
  redacted(entry: number, parts: readonly PartLetter[], by: number): void {
    const gone = this.#gone.get(entry);
    if (gone === undefined) return;
    for (const part of parts) if (gone.delete(part)) this.#accounts.set(entry, by);
    if (gone.size === 0) this.#gone.delete(entry);
  }

  /** What only entries after `proved` account for: they may have been made up to that end. */
  *accountedAfter(proved: number): Generator<readonly [entry: number, by: number], void, void> {
    for (const one of this.#accounts) if (one[1] > proved) yield one;
  }

  /** What no entry accounts for. */
  unaccounted(): Iterable<readonly [entry: number, parts: readonly PartLetter[]]> {
    return [...this.#gone].map(([entry, parts]) => [entry, [...parts]] as const);
  }
}
