// Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): the fewest items of a
// list with which something still fails. It knows nothing of what the items are.

/** What shrinking may cost. */
export interface Budget {
  runs: number;
  /** By `performance.now()`. */
  readonly until?: number;
}

/**
 * A part of `items`, in their order, for which `fails` still holds and from which no single one can be left out, unless the
 * budget ends before. `fails` of all of them is taken for granted.
 */
export function fewest<T>(items: readonly T[], fails: (part: readonly T[]) => boolean, budget: Budget): readonly T[] {
  if (items.length === 0 || tries([], fails, budget)) return [];
  let kept = items;
  for (let pieces = 2; kept.length > 1; ) {
    const size = Math.ceil(kept.length / pieces);
    const without = starts(kept.length, size)
      .map((start) => [...kept.slice(0, start), ...kept.slice(start + size)])
      .find((rest) => tries(rest, fails, budget));
    if (without !== undefined) {
      kept = without;
      pieces = Math.max(2, pieces - 1);
    } else {
      if (size === 1) break;
      pieces = Math.min(kept.length, pieces * 2);
    }
  }
  return kept;
}

/** From the end, because what happened last is most often what it is not about. */
function starts(length: number, size: number): number[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, piece) => piece * size).reverse();
}

function tries<T>(part: readonly T[], fails: (part: readonly T[]) => boolean, budget: Budget): boolean {
  if (budget.runs <= 0 || performance.now() > (budget.until ?? Number.POSITIVE_INFINITY)) return false;
  budget.runs -= 1;
  return fails(part);
}
