// The problems that a verification found: each once, in order, and only as many as somebody reads.

/** Something that is not as it was written. */
export interface Problem {
  /** `entries 880 to 912`, `the table grant`. */
  readonly where: string;
  readonly what: string;
  readonly todo: string;
}

const MOST_KEPT = 100;
export const RESTORE =
  "restore a backup (capstan restore BACKUP), or save what is whole (capstan log salvage FILE --out NEW)";

export class Problems {
  readonly #kept: Problem[] = [];
  #found = 0;

  get found(): number {
    return this.#found;
  }

  /** The first hundred. */
  get kept(): readonly Problem[] {
    return this.#kept;
  }

  add(where: string, what: string, todo = RESTORE): void {
    this.#found++;
    if (this.#kept.length < MOST_KEPT) this.#kept.push({ where, what, todo });
  }
}
