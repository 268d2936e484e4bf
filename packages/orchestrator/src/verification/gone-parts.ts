// Parts that are missing, and the entries that account for them: `log.redact` erases a part, and is an entry itself. A part that is missing without
// one was removed by somebody else.

import type { PartLetter } from "../proof/entry-check.ts";

export class GoneParts {
  /** Entry → its missing parts. Few entries are redacted. */
  readonly #gone = new Map<number, Set<PartLetter>>();
  /** Redacted entry → the entry that records it. */
  readonly #accounts = new Map<number, number>();
  #erased = 0;

  /** How many parts are missing. */
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

  /** Redactions that only entries after `proved` record: such entries may have been added to hide a removal. */
  *accountedAfter(proved: number): Generator<readonly [entry: number, by: number], void, void> {
    for (const one of this.#accounts) if (one[1] > proved) yield one;
  }

  /** Missing parts that no entry accounts for. */
  unaccounted(): Iterable<readonly [entry: number, parts: readonly PartLetter[]]> {
    return [...this.#gone].map(([entry, parts]) => [entry, [...parts]] as const);
  }
}
