// Plain networks for measuring how work grows with their size: no faults, no liars, every link alike, every node with the same
// number of routes.

import type { Leaf } from "../wire/message.ts";
import { Random } from "./random.ts";
import type { Script, ScriptLink } from "./scenario/script.ts";

/** `mesh` is one domain, fully meshed; in the others each node is a domain of its own, and passes everything on. */
export const GROWTH_SHAPES = ["ring", "mesh", "random", "hub"] as const;
export type GrowthShape = (typeof GROWTH_SHAPES)[number];

export interface GrowthOptions {
  readonly shape: GrowthShape;
  readonly nodes: number;
  readonly seed: number;
  /** Of each node. */
  readonly routes?: number;
}

/** Of every link, in milliseconds: so long is a round. */
export const GROWTH_DELAY = 100;
/**
 * When all nodes have all sessions; from then on their routes are announced. A node keeps 64 pending connections, so that of the hundreds
 * that dial it at once in a large mesh some must try again, for up to half a minute.
 */
export const GROWTH_ANNOUNCED_AT = 60_000;
const DEGREE = 4;

export function growthScript({ shape, nodes: count, seed, routes = 1 }: GrowthOptions): Script {
  const ids = Array.from({ length: count }, (_, at) => `n${at}`);
  const links = pairs(shape, count, new Random(seed, "growth")).map(([a, b]) =>
    link(ids[a] ?? "", ids[b] ?? "", shape),
  );
  const offers = (id: string): Leaf[] => Array.from({ length: routes }, (_, at) => [`action:${id}.${at}`, ""]);
  const plain = {
    routes: [],
    startAt: 0,
    skew: 0,
    drift: 0,
    pathLength: 1024,
    chunkSize: 256,
    updateRoutes: 4096,
    liar: false,
  };
  return {
    seed,
    timing: {
      // No keepalives: what is counted is what routes cost.
      holdTime: 0,
      minHoldTime: 0,
      connectTime: 5000,
      openTime: 5000,
      backoff: { first: 1000, last: 10_000 },
      restartTime: 0,
      deferral: 10_000,
      advertisementInterval: GROWTH_DELAY,
      tolerance: 30,
      lifetime: 86_400,
      maxLifetime: 172_800,
      epochGrace: 20_000,
    },
    damping: undefined,
    nodes: ids.map((id) => ({ id, domain: shape === "mesh" ? "all" : id, ...plain })),
    links,
    owners: ids.map((id) => ({ routes: [`action:${id}.*`], node: id })),
    events: ids.map((node) => ({
      at: GROWTH_ANNOUNCED_AT,
      type: "originate",
      node,
      announce: offers(node),
      withdraw: [],
    })),
    quietAt: GROWTH_ANNOUNCED_AT,
  };
}

function link(a: string, b: string, shape: GrowthShape): ScriptLink {
  const passAll = { name: "all", then: "accept" } as const;
  const filters = [a, b].flatMap((node) =>
    (["import", "export"] as const).map((direction) => ({ node, direction, clause: passAll })),
  );
  const relation = shape === "mesh" ? "internal" : "peer";
  return { a, b, relation, dials: "a", delay: GROWTH_DELAY, jitter: 0, filters: shape === "mesh" ? [] : filters };
}

function pairs(shape: GrowthShape, count: number, random: Random): [number, number][] {
  const all = Array.from({ length: count }, (_, at) => at);
  switch (shape) {
    case "ring":
      return all.map((at) => [at, (at + 1) % count] as [number, number]).filter(([a, b]) => a !== b);
    case "mesh":
      return all.flatMap((a) => all.slice(a + 1).map((b): [number, number] => [a, b]));
    case "hub":
      return all.slice(1).map((at) => [0, at]);
    case "random":
      return randomPairs(count, random);
    default:
      return shape satisfies never;
  }
}

/** A ring through all of them in some order, so that all are connected, and as many links again between any two. */
function randomPairs(count: number, random: Random): [number, number][] {
  const order = random.sample(
    Array.from({ length: count }, (_, at) => at),
    count,
  );
  const found = new Map<string, [number, number]>();
  const add = (a: number, b: number): void => {
    if (a !== b) found.set(`${Math.min(a, b)} ${Math.max(a, b)}`, [a, b]);
  };
  for (const [at, one] of order.entries()) add(one, order[(at + 1) % count] as number);
  const wanted = Math.min((count * DEGREE) / 2, (count * (count - 1)) / 2);
  while (found.size < wanted) add(random.between(0, count - 1), random.between(0, count - 1));
  return [...found.values()];
}
