// How many rows of a table there are, by the group that its owner counts a row in.

import type { TableOptions } from "./table.ts";

type CountedBy = NonNullable<TableOptions<unknown>["countedBy"]>;

export class RowCounts {
  readonly #countedBy: CountedBy;
  readonly #groups = new Map<string, number>();
  #all = 0;

  constructor(countedBy: CountedBy) {
    this.#countedBy = countedBy;
  }

  /** @param group none: all that are counted */
  of(group: string | undefined): number {
    return group === undefined ? this.#all : (this.#groups.get(group) ?? 0);
  }

  /** A row was `before` and is `after`; `undefined` where there is none. */
  changed(key: string, before: unknown, after: unknown): void {
    const left = before === undefined ? undefined : this.#countedBy(key, before);
    const entered = after === undefined ? undefined : this.#countedBy(key, after);
    if (left === entered) return;
    if (left !== undefined) this.#add(left, -1);
    if (entered !== undefined) this.#add(entered, 1);
  }

  #add(group: string, one: 1 | -1): void {
    const count = (this.#groups.get(group) ?? 0) + one;
    if (count === 0) this.#groups.delete(group);
    else this.#groups.set(group, count);
    this.#all += one;
  }
}
