// What checking one value may cost. A schema of a few hundred bytes can ask for 2^n steps (references that fan out, on
// every level of the value), so the generated code pays as it goes and is stopped, on the thread that decides.

/** One unit is a call of a generated function (some 50 ns) or 64 steps of a pattern's automaton. About 0.3 s in all. */
export const UNITS = 2_000_000;
/** Errors when all are asked for: past this only the first is told. */
export const MOST_ERRORS_TOLD = 1_000;
/** Errors that come and go inside one check (the branches of `anyOf`, the items that `contains` passes by), 200 bytes each. */
export const MOST_ERRORS_INSIDE = 100_000;

export class Exhausted extends Error {}

export class Meter {
  readonly #mostErrors: number;
  #units = 0;
  #errors = 0;

  constructor(mostErrors: number) {
    this.#mostErrors = mostErrors;
  }

  reset(): void {
    this.#units = UNITS;
    this.#errors = this.#mostErrors;
  }

  spend(units: number): void {
    this.#units -= units;
    if (this.#units < 0) throw new Exhausted();
  }

  spendError(): void {
    if (--this.#errors < 0) throw new Exhausted();
  }
}
