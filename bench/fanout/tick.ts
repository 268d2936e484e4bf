// What is published: the same bytes by both.

export interface Tick {
  readonly n: number;
  /** Milliseconds since the epoch, of a clock that all processes of the machine share. */
  readonly at: number;
  readonly item: string;
  readonly tags: readonly string[];
}

export function tick(n: number, at: number): Tick {
  return { n, at, item: "a crate of oranges", tags: ["fruit", "fresh"] };
}
