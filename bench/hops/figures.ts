// The figures of hops (issue 6, "Must show" 4): what a perform over one, two and three nodes takes, each its own domain, beside what the
// links on the way take alone; and how many go over one link, beside how many go nowhere.

import { alternate, median, type Rounds } from "../kernel/rounds.ts";
import { Chain, type NodeName, type Used } from "./chain.ts";
import type { Loaded } from "./client.ts";

/** Microseconds of CPU a perform: of the client, of the node that is asked, and of the one that performs. */
export interface Cpu {
  readonly client: number;
  readonly asked: number;
  readonly performs: number;
}

export interface Figure {
  readonly name: string;
  readonly what: string;
  readonly unit: "ms" | "performs/s";
  readonly goal: string | undefined;
  readonly ours: number;
  /** What it is compared with. */
  readonly anchor: number;
  /** The median of the rounds' ratios: a round's sides met the same machine. */
  readonly ratio: number;
  /** The lowest and the highest of them. */
  readonly spread: readonly [number, number];
  readonly rounds: number;
  readonly rejected: number;
  readonly disturbed: number;
  readonly cpu?: { readonly ours: Cpu; readonly anchor: Cpu };
  /**
   * What the ratio can be at the most by these CPU times: `shared` where client and nodes have two cores between them, and nothing ever
   * waits; `apart` where each process has a core.
   */
  readonly bound?: { readonly shared: number; readonly apart: number };
  /** The ratio to the plain sum of the single hops, callers' round trips counted as often as there are hops. */
  readonly plain?: number;
}

/** Calls that are in flight at once, as in the kernel's figures. */
const IN_FLIGHT = 64;
const ROUND_MS = 1500;
/** Of each kind in a round, one after another. */
const TURNS = 100;
/** Calls after which the compiler is done with the hot path; a busy or slow machine gets no more rounds than this for them. */
const WARM_UP_CALLS = 30_000;
const WARM_UPS = 8;
const CORES = 2;

interface Throughput {
  readonly name: string;
  readonly what: string;
  readonly goal: string | undefined;
  readonly at: NodeName;
  readonly of: NodeName;
  readonly action: "echo" | "once";
}

const throughputs: readonly Throughput[] = [
  {
    name: "throughput/one-hop",
    what: "performs over one link against performs here, 64 in flight; the action is not idempotent, and so is durable before it runs",
    goal: "ratio ≥ 0.5",
    ...{ at: "a", of: "b", action: "once" },
  },
  {
    name: "throughput/called-back",
    what: "the same where the node that performs is the one that dialled",
    goal: "ratio ≥ 0.5",
    ...{ at: "b", of: "c", action: "once" },
  },
  {
    name: "throughput/idempotent",
    what: "the same of an idempotent action, which here is one entry with its outcome, and elsewhere two",
    goal: undefined,
    ...{ at: "a", of: "b", action: "echo" },
  },
];

const latencyNames = ["latency/one-hop", "latency/two-hops", "latency/three-hops"] as const;

export const figureNames: readonly string[] = [...latencyNames, ...throughputs.map(({ name }) => name)];

/** Measures the figures of these names, on one chain of fresh processes and fresh logs. */
export async function* measure(names: readonly string[], rounds: number): AsyncGenerator<Figure, void, void> {
  const chain = new Chain();
  try {
    await chain.start();
    const latencies = latencyNames.filter((name) => names.includes(name));
    if (latencies.length > 0) yield* await measureLatency(chain, latencies, rounds);
    for (const one of throughputs) if (names.includes(one.name)) yield await measureThroughput(chain, one, rounds);
  } finally {
    await chain.end();
  }
}

/** From where to where; the same node twice is no hop. */
const KINDS = ["aa", "bb", "cc", "ab", "bc", "cd", "ac", "ad"] as const;
type Times = Readonly<Record<(typeof KINDS)[number], number>>;

/**
 * Whoever asks A for what C has pays for one round trip of its own, two links, two nodes that hand on and one that performs. The single
 * hops A–B and B–C paid for two round trips of callers, and for a performing at B, where in the chain B hands on instead: what a perform at
 * B itself takes is what they count twice. The same holds of C in three hops. That is taken off the sum.
 */
const compared: Readonly<
  Record<(typeof latencyNames)[number], (t: Times) => { ours: number; sum: number; plain: number }>
> = {
  "latency/one-hop": ({ ab, aa }) => ({ ours: ab, sum: aa, plain: aa }),
  "latency/two-hops": ({ ac, ab, bc, bb }) => ({ ours: ac, sum: ab + bc - bb, plain: ab + bc }),
  "latency/three-hops": ({ ad, ab, bc, cd, bb, cc }) => ({
    ours: ad,
    sum: ab + bc + cd - bb - cc,
    plain: ab + bc + cd,
  }),
};

const told: Readonly<Record<(typeof latencyNames)[number], Pick<Figure, "what" | "goal">>> = {
  "latency/one-hop": { what: "p50 of a lone perform over one link; beside it one here", goal: undefined },
  "latency/two-hops": {
    what: "p50 of a lone perform over two links; beside it the sum of both alone, less what is counted twice",
    goal: "ratio ≤ 1.2",
  },
  "latency/three-hops": {
    what: "p50 of a lone perform over three links; beside it the sum of the three alone, less what is counted twice",
    goal: "ratio ≤ 1.2",
  },
};

async function measureLatency(
  chain: Chain,
  names: readonly (typeof latencyNames)[number][],
  rounds: number,
): Promise<Figure[]> {
  const asked = KINDS.map((kind) => chain.asked(kind[0] as NodeName, kind[1] as NodeName, "once"));
  const times: Times[] = [];
  // By turns, call by call: no kind has the machine to itself.
  for (let round = -1; round < rounds; round++) {
    const { medians } = await chain.inTurn({ asked, turns: TURNS });
    if (round >= 0) times.push(Object.fromEntries(KINDS.map((kind, i) => [kind, medians[i]])) as unknown as Times);
  }
  return names.map((name) => {
    const all = times.map(compared[name]);
    const ratios = all.map(({ ours, sum }) => ours / sum);
    return {
      ...{ name, unit: "ms", ...told[name] },
      ours: median(all.map(({ ours }) => ours)),
      anchor: median(all.map(({ sum }) => sum)),
      ratio: median(ratios),
      spread: [Math.min(...ratios), Math.max(...ratios)],
      ...(name === "latency/one-hop" ? {} : { plain: median(all.map(({ ours, plain }) => ours / plain)) }),
      ...{ rounds, rejected: 0, disturbed: 0 },
    };
  });
}

interface Side {
  readonly value: number;
  readonly cpu: Cpu;
  readonly used: number;
}

async function measureThroughput(chain: Chain, { at, of, action, ...goal }: Throughput, rounds: number) {
  const run = async (performs: NodeName): Promise<Side & { readonly calls: number }> => {
    const load = { ...chain.asked(at, performs, action), inFlight: IN_FLIGHT, ms: ROUND_MS };
    const { loaded, used } = await chain.load(load);
    return { ...sideOf(at, performs, loaded, used), calls: loaded.calls };
  };
  for (const performs of [at, of])
    for (let i = 0, calls = 0; i < WARM_UPS && calls < WARM_UP_CALLS; i++) calls += (await run(performs)).calls;
  return summary(
    goal,
    await alternate<Side>(
      rounds,
      () => run(of),
      () => run(at),
    ),
  );
}

function sideOf(at: NodeName, performs: NodeName, { calls, ms }: Loaded, { client, nodes, all }: Used): Side {
  const cpu = {
    client: client / calls,
    asked: nodes[at] / calls,
    performs: performs === at ? 0 : nodes[performs] / calls,
  };
  return { value: (calls / ms) * 1000, cpu, used: all };
}

function summary(
  goal: Pick<Figure, "name" | "what" | "goal">,
  { ours, anchor, rejected, disturbed }: Rounds<Side>,
): Figure {
  const ratios = ours.map(({ value }, i) => value / (anchor[i] as Side).value);
  const cpu = { ours: cpuOf(ours), anchor: cpuOf(anchor) };
  return {
    ...goal,
    unit: "performs/s",
    ours: median(ours.map(({ value }) => value)),
    anchor: median(anchor.map(({ value }) => value)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    ...{ rounds: ours.length, rejected, disturbed, cpu },
    bound: { shared: sharing(cpu.anchor) / sharing(cpu.ours), apart: longest(cpu.anchor) / longest(cpu.ours) },
  };
}

function cpuOf(sides: readonly Side[]): Cpu {
  const of = (name: keyof Cpu): number => median(sides.map(({ cpu }) => cpu[name]));
  return { client: of("client"), asked: of("asked"), performs: of("performs") };
}

/** Microseconds a perform takes on two cores that are never idle: a process has one core at a time. */
function sharing(cpu: Cpu): number {
  return Math.max((cpu.client + cpu.asked + cpu.performs) / CORES, longest(cpu));
}

function longest({ client, asked, performs }: Cpu): number {
  return Math.max(client, asked, performs);
}
