// A subscriber's own ledger: what it was handed, in the order in which it was, and what is wrong with that. What it had answered and
// the node may not have heard when the session was torn, it may be handed once more, and nothing else.

export class Book {
  /** The last number that it was handed, and how many it was handed for the first time. */
  last: number;
  handed = 0;
  repeated = 0;
  readonly wrong: string[] = [];
  readonly name: string;
  /** Numbers from here on may be handed once more. */
  #unsure: number | undefined;
  #lastBatch: number;

  /** @param last the number before the first that it is to have */
  constructor(name: string, last: number) {
    this.name = name;
    this.last = last;
    this.#lastBatch = last + 1;
  }

  batch(numbers: readonly number[]): void {
    const [first] = numbers;
    if (first === undefined) return;
    let expected = this.last + 1;
    if (first <= this.last && this.#unsure !== undefined && first >= this.#unsure) {
      this.repeated += this.last - first + 1;
      expected = first;
    }
    this.#unsure = undefined;
    for (const n of numbers) {
      if (n !== expected) {
        this.#complain(`was handed ${n} where ${expected} was next`);
        expected = n;
      }
      expected++;
    }
    this.handed += expected - 1 - this.last;
    this.#lastBatch = first;
    this.last = expected - 1;
  }

  /** The session was torn: whether its last answer was heard nobody here knows. */
  torn(): void {
    this.#unsure = this.#lastBatch;
  }

  #complain(text: string): void {
    if (this.wrong.length < 10) this.wrong.push(`${this.name} ${text}`);
  }
}
