// What came of a trial, held against what the origin's log has. Each difference is a line for people.

/** Differences that are told of one list. */
const MOST_TOLD = 5;

export interface Came {
  /** What the origin's log has, in its order. */
  readonly published: readonly number[];
  /** What the origin said that it had published. */
  readonly acknowledged: Iterable<number>;
  /** What whoever reads the subscription was handed, in order; and what the log of its node has. */
  readonly read: readonly number[];
  readonly imported: readonly number[];
  /** What the receiver was handed, and how often. */
  readonly received: ReadonlyMap<number, number>;
  /** How often the node says that it missed something. */
  readonly missed: number;
}

export function accountOf({ published, acknowledged, read, imported, received, missed }: Came): string[] {
  const there = new Set(published);
  return [
    ...differences("what was read at a", read, published),
    ...differences("the log of a", imported, published),
    ...few(
      [...acknowledged].filter((n) => !there.has(n)),
      (n) => `${n} was acknowledged, and c has it not`,
    ),
    ...few(
      published.filter((n) => !received.has(n)),
      (n) => `${n} was not handed to the receiver`,
    ),
    ...few(
      [...received.keys()].filter((n) => !there.has(n)),
      (n) => `the receiver was handed ${n}, which nobody published`,
    ),
    ...(missed === 0 ? [] : [`a says that it missed something, ${missed} times`]),
  ];
}

/** What one has otherwise than the other. */
function differences(what: string, found: readonly number[], wanted: readonly number[]): string[] {
  const wrong: string[] = [];
  if (found.length !== wanted.length)
    wrong.push(`${what} is ${found.length} publications, and ${wanted.length} there were`);
  const seen = new Set<number>();
  for (const [i, n] of found.entries()) {
    if (wrong.length >= MOST_TOLD) break;
    if (seen.has(n)) wrong.push(`${what} has ${n} twice, the second time as number ${i + 1}`);
    else if (wanted[i] !== n) wrong.push(`${what} has ${n} as number ${i + 1}, and that was ${wanted[i] ?? "nothing"}`);
    seen.add(n);
  }
  return wrong;
}

function few(found: readonly number[], text: (n: number) => string): string[] {
  return found.slice(0, MOST_TOLD).map(text);
}
