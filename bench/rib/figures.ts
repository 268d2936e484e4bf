// The figures of the RIB (issue 5, "Must show" 4): tables of 50,000 routes, installed, kept, sent and lost. The anchor is GoBGP,
// measured elsewhere (two processes on a machine like this one, without signatures): its figures are printed as such.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diskDirectory } from "../kernel/machine.ts";
import { median } from "../kernel/rounds.ts";
import { type Rounds, roundsOf } from "./fresh-process.ts";
import type { Installed, Measured, Transferred } from "./measure-process.ts";
import { liveUpdates, PEERS, ROUTES, type Shape, updatesFrom } from "./tables.ts";

type Unit = "routes/s" | "bytes" | "ms";

/** What others need for it; the range that was measured. */
interface Anchor {
  readonly low: number;
  readonly high: number;
}

interface Goal {
  readonly name: string;
  readonly what: string;
  readonly unit: Unit;
  readonly goal?: string;
  readonly anchor?: Anchor;
}

export interface Figure extends Goal {
  readonly ours: number;
  /** Ours by the anchor's better end: above 1 is better where more is, below 1 where less is. */
  readonly ratio: number | undefined;
  readonly rounds: number;
  readonly rejected: number;
  readonly disturbed: number;
  /** Microseconds a route, in all threads. */
  readonly cpu: number | undefined;
  /** Of the heap alone, a route; and of both a path, where a route has several. */
  readonly detail: Readonly<Record<string, number>>;
}

interface Value {
  readonly ours: number;
  readonly cpu?: number;
  readonly detail?: Readonly<Record<string, number>>;
}

/** A run's rounds are processes of their own, and each gives all of the run's figures. */
interface Run {
  readonly name: string;
  readonly figures: readonly (Goal & { readonly value: (answer: never) => Value })[];
}

const BYTES: Anchor = { low: 1700, high: 1900 };
const SHARED_MS: Anchor = { low: 600, high: 600 };
const DISTINCT_MS: Anchor = { low: 2800, high: 3700 };
const LIVE: Anchor = { low: 8000, high: 17_000 };
const LIVE_ROUTES = 30_000;
/** Those that measure-process.ts takes for warming up are not in its figure. */
const LIVE_MEASURED = (LIVE_ROUTES * 2) / 3;

const rate = ({ ms, cpu }: Measured, routes: number): Value => ({ ours: (routes / ms) * 1000, cpu: cpu / routes });
const time = ({ ms, cpu }: Measured): Value => ({ ours: ms, cpu: cpu / ROUTES });
const bytes = ({ grown }: Installed, paths: number): Value => ({
  ours: grown.resident / ROUTES,
  detail: { heap: grown.heap / ROUTES, ...(paths > 1 ? { path: grown.resident / ROUTES / paths } : {}) },
});

const runs: readonly Run[] = [
  {
    name: "one",
    figures: [
      {
        name: "install/one",
        what: "50,000 routes of one peer, in signed chunks of 256: frames read, origins verified, policy, best paths",
        unit: "routes/s",
        value: ({ install }: Installed) => rate(install, ROUTES),
      },
      {
        name: "memory/one",
        what: "resident bytes a route with one path",
        unit: "bytes",
        goal: "≤ 900",
        anchor: BYTES,
        value: (answer: Installed) => bytes(answer, 1),
      },
      {
        name: "withdraw/one",
        what: "the session is lost, and no route has another path: until all 50,000 are gone",
        unit: "ms",
        value: ({ withdraw }: Installed) => time(withdraw),
      },
    ],
  },
  {
    name: "four",
    figures: [
      {
        name: "install/four",
        what: "the same routes of four peers, each with better paths than those before: paths a second",
        unit: "routes/s",
        value: ({ install }: Installed) => rate(install, PEERS.length * ROUTES),
      },
      {
        name: "memory/four",
        what: "resident bytes a route with four paths, and what three of the peers were told of it",
        unit: "bytes",
        value: (answer: Installed) => bytes(answer, PEERS.length),
      },
      {
        name: "withdraw/four",
        what: "the peer with all 50,000 best paths is lost: until the last has fallen over to an alternative",
        unit: "ms",
        value: ({ withdraw }: Installed) => time(withdraw),
      },
    ],
  },
  {
    name: "distinct",
    figures: [
      {
        name: "install/distinct",
        what: "50,000 routes of one peer, each with a signature and attributes of its own",
        unit: "routes/s",
        value: ({ install }: Installed) => rate(install, ROUTES),
      },
      {
        name: "memory/distinct",
        what: "resident bytes of such a route",
        unit: "bytes",
        anchor: BYTES,
        value: (answer: Installed) => bytes(answer, 1),
      },
    ],
  },
  {
    name: "fresh-peer",
    figures: [
      {
        name: "dump",
        what: "50,000 routes to a peer that has just come: export policy, chunks, frames",
        unit: "routes/s",
        value: ({ dump }: Transferred) => rate(dump, ROUTES),
      },
      {
        name: "fresh-peer",
        what: "the same until it has installed them, both on one core",
        unit: "ms",
        anchor: SHARED_MS,
        value: (answer: Transferred) => time(both(answer)),
      },
    ],
  },
  {
    name: "fresh-peer/distinct",
    figures: [
      {
        name: "fresh-peer/distinct",
        what: "the same with a signature and attributes a route",
        unit: "ms",
        anchor: DISTINCT_MS,
        value: (answer: Transferred) => time(both(answer)),
      },
    ],
  },
  {
    name: "live",
    figures: [
      {
        name: "live",
        what: "one route an update, signed by itself: read, verified, decided, and told on to another peer",
        unit: "routes/s",
        anchor: LIVE,
        value: (answer: Measured) => rate(answer, LIVE_MEASURED),
      },
    ],
  },
];

export const figureNames: readonly string[] = runs.flatMap(({ figures }) => figures.map(({ name }) => name));

function both({ dump, install }: Transferred): Measured {
  return { ms: dump.ms + install.ms, cpu: dump.cpu + install.cpu };
}

export function* measure(only: readonly string[], rounds: number): Generator<Figure, void, void> {
  const directory = diskDirectory();
  try {
    writeTables(directory);
    for (const { name, figures } of runs) {
      const asked = figures.filter((figure) => only.includes(figure.name));
      if (asked.length === 0) continue;
      const script = new URL("./measure-process.ts", import.meta.url);
      const measured = roundsOf(rounds, script, name, directory);
      for (const figure of asked) yield summary(figure, measured);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function writeTables(directory: string): void {
  const write = (name: string, frames: Iterable<string>): void => {
    let text = "";
    for (const frame of frames) text += `${frame}\n`;
    writeFileSync(join(directory, name), text);
  };
  for (const number of PEERS) write(tableName("shared", number), updatesFrom(number, "shared"));
  write(tableName("distinct", 1), updatesFrom(1, "distinct"));
  write("live", liveUpdates(LIVE_ROUTES));
}

const tableName = (shape: Shape, number: number): string => `${shape}-${number}`;

function summary({ value, ...goal }: Run["figures"][number], { kept, rejected }: Rounds): Figure {
  const values = kept.map(({ answer }) => value(answer as never));
  const middle = (of: (value: Value) => number | undefined): number | undefined => {
    const numbers = values.map(of).filter((one) => one !== undefined);
    return numbers.length === 0 ? undefined : median(numbers);
  };
  const ours = middle((one) => one.ours) as number;
  const words = Object.keys(values[0]?.detail ?? {});
  const { anchor, unit } = goal;
  const best = anchor && (unit === "routes/s" ? anchor.high : anchor.low);
  return {
    ...goal,
    ours,
    ratio: best && ours / best,
    rounds: kept.length,
    rejected,
    disturbed: kept.filter(({ disturbed }) => disturbed).length,
    cpu: middle((one) => one.cpu),
    detail: Object.fromEntries(words.map((word) => [word, middle((one) => one.detail?.[word]) as number])),
  };
}
