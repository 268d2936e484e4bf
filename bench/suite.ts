// What `bench/main.ts` knows of a suite: the names of its figures, and its lines once they are measured.

export interface Suite {
  readonly figures: readonly string[];
  /** Rounds a figure where nothing else is asked for; default 9. */
  readonly rounds?: number;
  /** The head of the table; none is printed with `--json`. */
  readonly head: string;
  /** Measures the figures of these names; a line each, of the table or of JSON. */
  lines(only: readonly string[], rounds: number, json: boolean): AsyncIterable<string>;
}
