// One logged table in memory: rows by key, and their keys in order, sorted only once somebody asks for a range.

export class MemoryTable {
  readonly #rows = new Map<string, string>();
  /** The keys in code unit order; `undefined` after a change that upset them. */
  #keys: string[] | undefined;

  get(key: string): string | undefined {
    return this.#rows.get(key);
  }

  change(key: string, json: string | undefined): void {
    if (json === undefined) {
      if (this.#rows.delete(key)) this.#keys = undefined;
      return;
    }
    if (!this.#rows.has(key)) this.#keys = undefined;
    this.#rows.set(key, json);
  }

  /** Rows by ascending key, after `after` (exclusive), at most `limit`. */
  range(after: string | undefined, limit: number): readonly (readonly [key: string, json: string])[] {
    // Array.prototype.sort without a comparison is code unit order (ECMA-262 §23.1.3.30.2).
    this.#keys ??= [...this.#rows.keys()].sort();
    const start = after === undefined ? 0 : firstAfter(this.#keys, after);
    return this.#keys.slice(start, start + Math.max(limit, 0)).map((key) => [key, this.#rows.get(key) as string]);
  }
}

function firstAfter(keys: readonly string[], after: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
