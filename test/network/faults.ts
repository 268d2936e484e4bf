// What happens to the network, chosen by a seed: each fault is done, stands while the tables are looked at, and is mended.

import type { SeededRandom } from "../chaos/seeded-random.ts";
import type { LinkState } from "./link-proxy.ts";
import { type Link, type Network, TIMING } from "./network.ts";
import type { NodeProcess } from "./node-process.ts";
import type { Edge } from "./oracle.ts";

export const KINDS = [
  "kill, start at once",
  "kill, start late",
  "stop for less than the hold time",
  "stop for longer",
  "cut",
  "silent",
  "half-open",
] as const;
export type Kind = (typeof KINDS)[number];

export interface Fault {
  readonly text: string;
  readonly kind: Kind;
  /** Nodes: the one, or both ends of the link. */
  readonly where: readonly string[];
  /** While it stands: who does nothing, and which link carries nothing. */
  readonly down: string | undefined;
  readonly broken: Edge | undefined;
  /** Nobody may be told of anything: its sessions come back within the time that its routes are kept for, or never end. */
  readonly unnoticed: boolean;
  /** @returns how long what must be there again within `restartTime` took to be */
  inflict(): Promise<number>;
  mend(): Promise<void>;
}

const MOST_TRIES = 100;

const nothing = async (): Promise<void> => {};
const timed = async (what: () => Promise<void>): Promise<number> => {
  const at = performance.now();
  await what();
  return performance.now() - at;
};
const done = async (what: () => unknown): Promise<number> => {
  await what();
  return 0;
};

/** One fault, and now and then two at once, of which neither is where the other is. */
export function chooseFaults(
  random: SeededRandom,
  network: Network,
  round: number,
  kinds: readonly Kind[] = KINDS,
): Fault[] {
  // Each kind has its turn; where it happens is chance.
  const first = makeFault(kinds[round % kinds.length] as Kind, random, network);
  if (round % 4 !== 3) return [first];
  // In a small network there may be no other place.
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const second = makeFault(random.pick(kinds), random, network);
    if (!second.where.some((one) => first.where.includes(one))) return [first, second];
  }
  return [first];
}

function makeFault(kind: Kind, random: SeededRandom, network: Network): Fault {
  const node = random.pick(network.nodes);
  const link = random.pick(network.links);
  switch (kind) {
    case "kill, start at once":
      return ofNode(kind, node, { unnoticed: true, inflict: () => timed(() => node.kill().then(() => node.start())) });
    case "kill, start late":
      return ofNode(kind, node, { down: node.name, inflict: () => done(() => node.kill()), mend: () => node.start() });
    case "stop for less than the hold time": {
      const ms = random.upTo(TIMING.holdTime / 2);
      const inflict = (): Promise<number> =>
        timed(async () => {
          node.stop();
          await Bun.sleep(ms);
          node.continue();
        });
      return ofNode(kind, node, { unnoticed: true, inflict });
    }
    case "stop for longer":
      return ofNode(kind, node, {
        down: node.name,
        inflict: () => done(() => node.stop()),
        mend: async () => node.continue(),
      });
    case "cut":
    case "silent":
    case "half-open":
      return ofLink(kind, link, kind);
    default:
      return kind satisfies never;
  }
}

function ofNode(kind: Kind, { name }: NodeProcess, more: Partial<Fault>): Fault {
  return {
    text: `${kind}: ${name}`,
    kind,
    where: [name],
    down: undefined,
    broken: undefined,
    unnoticed: false,
    inflict: () => done(nothing),
    mend: nothing,
    ...more,
  };
}

function ofLink(kind: Kind, { ends, proxy }: Link, state: LinkState): Fault {
  return {
    ...{ text: `${kind}: ${ends.join("-")}`, kind, down: undefined, where: ends, broken: ends, unnoticed: false },
    inflict: () => done(() => proxy.set(state)),
    mend: async () => proxy.set("open"),
  };
}
