// The figures of routes between processes (issue 6, "Must show" 3): a table of 50,000 to a peer that has just come, announcements one
// after the other, and what a route takes. Beside them GoBGP from Debian's package, by turns in one run.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { diskDirectory } from "../kernel/machine.ts";
import { median } from "../kernel/rounds.ts";
import { gobgpRound, missing } from "./gobgp/measure.ts";
import { oursRound } from "./ours.ts";
import type { Round, Shape } from "./round.ts";

type Unit = "ms" | "routes/s" | "bytes";

interface Goal {
  readonly name: string;
  readonly what: string;
  readonly unit: Unit;
  readonly shape: Shape;
  /** Of the ratio, which is how many times better ours is. */
  readonly goal: number;
  /** As it was measured elsewhere, once: printed where there is no gobgpd. */
  readonly kept: { readonly low: number; readonly high: number };
  of(round: Partial<Round>): number | undefined;
}

export interface Figure extends Omit<Goal, "of"> {
  readonly ours: number;
  /** In a process that had done nothing before. */
  readonly cold: number | undefined;
  /** Of that: like for like with GoBGP's, which are of processes that had done nothing before. */
  readonly coldRatio: number | undefined;
  readonly anchor: number | undefined;
  /** The median of the rounds' ratios; against the better end of what was kept, where nothing was measured. */
  readonly ratio: number;
  readonly rounds: number;
}

const goals: readonly Goal[] = [
  {
    name: "dump/shared",
    what: "50,000 routes with the same attributes to a peer that has just come, until the last is in its table",
    ...{ unit: "ms", shape: "shared", goal: 2, kept: { low: 600, high: 600 } },
    of: ({ dump }) => dump,
  },
  {
    name: "dump/distinct",
    what: "the same, each route with a path and a tag that no other has; signed in chunks by their origins",
    ...{ unit: "ms", shape: "distinct", goal: 8, kept: { low: 2800, high: 3700 } },
    of: ({ dump }) => dump,
  },
  {
    name: "live",
    what: "announcements one after the other, a durable command each, until the last is in the peer's table",
    ...{ unit: "routes/s", shape: "shared", goal: 2, kept: { low: 8000, high: 17_000 } },
    of: ({ live }) => live,
  },
  {
    name: "memory/shared",
    what: "resident bytes a route, of the peer's process",
    ...{ unit: "bytes", shape: "shared", goal: 2, kept: { low: 1700, high: 1900 } },
    of: ({ bytes }) => bytes,
  },
  {
    name: "memory/distinct",
    what: "the same with attributes of its own",
    ...{ unit: "bytes", shape: "distinct", goal: 2, kept: { low: 1700, high: 1900 } },
    of: ({ bytes }) => bytes,
  },
];

export const figureNames: readonly string[] = goals.map(({ name }) => name);

export async function* measure(
  only: readonly string[],
  rounds: number,
  say: (text: string) => void,
): AsyncGenerator<Figure> {
  const without = missing();
  if (without !== undefined) say(`${without}: ours alone, beside figures that were measured elsewhere`);
  for (const shape of ["shared", "distinct"] as const) {
    const asked = goals.filter((goal) => goal.shape === shape && only.includes(goal.name));
    if (asked.length === 0) continue;
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      // Who goes second meets a warmer machine: they take turns at that too.
      const sides = [
        async () => ours.push(await inDirectory((directory) => oursRound(shape, directory))),
        async () => without ?? theirs.push(await inDirectory((directory) => gobgpRound(shape, directory))),
      ];
      if (round % 2 === 1) sides.reverse();
      for (const side of sides) await side();
    }
    for (const goal of asked) yield summary(goal, ours, theirs);
  }
}

async function inDirectory<T>(measured: (directory: string) => Promise<T>): Promise<T> {
  const parent = diskDirectory();
  try {
    return await measured(mkdtempSync(join(parent, "round-")));
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function summary({ of, ...goal }: Goal, ours: readonly Round[], theirs: readonly Round[]): Figure {
  const more = goal.unit === "routes/s";
  const better = (mine: number, other: number): number => (more ? mine / other : other / mine);
  const values = ours.map((round) => of(round) as number);
  const anchors = theirs.map((round) => of(round) as number);
  const first = ours.flatMap(({ cold }) => of(cold ?? {}) ?? []);
  const measured = anchors.length > 0;
  const best = more ? goal.kept.high : goal.kept.low;
  const beside = (i: number): number => (measured ? (anchors[i] as number) : best);
  return {
    ...goal,
    ours: median(values),
    cold: first.length === 0 ? undefined : median(first),
    coldRatio: first.length === 0 ? undefined : median(first.map((value, i) => better(value, beside(i)))),
    anchor: measured ? median(anchors) : undefined,
    ratio: median(values.map((value, i) => better(value, beside(i)))),
    rounds: values.length,
  };
}
