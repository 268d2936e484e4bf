// One thing that is not as the rules have it.

export interface Violation {
  /** What kind of thing is wrong: shrinking keeps to it. */
  readonly kind:
    | "no-convergence"
    /** Seen by the simulator while it ran, and not of the tables at the end. */
    | "witness"
    | "session"
    | "adj-rib-in"
    | "loc-rib"
    | "adj-rib-out"
    | "stale"
    | "old-epoch"
    | "forwarding-loop"
    | "black-hole"
    | "wrong-way"
    | "foreign-name";
  readonly node: string;
  readonly peer?: string;
  readonly name?: string;
  readonly expected: string;
  readonly got: string;
}

export function lineOf({ kind, node, peer, name, expected, got }: Violation): string {
  const where = [node, ...(peer === undefined ? [] : [`with ${peer}`]), ...(name === undefined ? [] : [name])].join(
    " ",
  );
  return `${kind}: ${where}: expected ${expected}; got ${got}`;
}
