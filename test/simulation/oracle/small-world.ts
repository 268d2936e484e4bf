// Worlds small enough to be solved by hand, for the oracle's own tests.

import type { Announced, Way } from "./rules.ts";
import { type Heard, Network, type Refuses } from "./solve.ts";
import type { Lie, Node, NodePolicies, Observed, Policy, World } from "./world.ts";

export const OPEN: Policy = { clauses: [{ name: "all", then: "accept" }] };
export const WALL = 1_000_000;
const NEVER: Refuses = () => false;

export interface Sketch {
  /** Node → its domain. */
  readonly domains: Readonly<Record<string, string>>;
  readonly sessions: readonly (readonly [string, string])[];
  /** Node → names that it originates, and owns. */
  readonly routes?: Readonly<Record<string, readonly string[]>>;
  readonly liars?: readonly string[];
  readonly lies?: World["lies"];
  /** `node>peer`: other than open ones. */
  readonly policies?: Readonly<Record<string, Partial<Pick<NodePolicies, "import" | "export">>>>;
  readonly node?: Readonly<Record<string, Partial<Node>>>;
  readonly owners?: World["owners"];
}

export function sketch({ domains, sessions, routes = {}, liars = [], lies = [], ...rest }: Sketch): World {
  return {
    tolerance: 300,
    maxLifetime: 7200,
    defaultLocalPreference: 100,
    nodes: Object.entries(domains).map(([id, domain]) => ({
      id,
      domain,
      up: true,
      epoch: 1,
      wall: WALL,
      routes: (routes[id] ?? []).map((name) => ({ name, digest: `${name}@${id}` })),
      liar: liars.includes(id),
      pathLength: 16,
      ...rest.node?.[id],
    })),
    owners: rest.owners ?? Object.entries(routes).map(([node, names]) => ({ routes: names, node })),
    sessions,
    policies: sessions.flatMap(([a, b]) => [policies(a, b), policies(b, a)]),
    lies,
  };

  function policies(node: string, peer: string): NodePolicies {
    return { node, peer, import: OPEN, export: OPEN, ...rest.policies?.[`${node}>${peer}`] };
  }
}

/** A liar's word that is as good as true, but for what is given. */
export function word(name: string, path: readonly string[], origin: string, more: Partial<Lie> = {}): Lie {
  return {
    name,
    digest: `${name}@${origin}`,
    path,
    tags: [],
    origin,
    originDomain: path.at(-1) ?? "",
    epoch: 1,
    expires: WALL + 3600,
    genuine: true,
    ...more,
  };
}

/** What every node's best is, as `node: peer [path]`. */
export function bests(world: World, name: string, refuses = NEVER): Record<string, string> {
  const { best, converged } = new Network(world, refuses).solve(name);
  if (!converged) throw new Error("no stable state");
  return Object.fromEntries(
    [...best].sort().map(([node, way]) => [node, `${way.peer ?? "self"} [${way.path.join(" ")}]`]),
  );
}

/** What nodes that follow the rules believe. */
export function obeyed(world: World): Observed {
  const network = new Network(world, NEVER);
  const solutions = network.names.map((name) => network.solve(name));
  return network.honest().map(({ id }) => ({
    node: id,
    sessions: [...network.peersOf(id)].sort(),
    in: solutions.flatMap(({ heard }) =>
      [...(heard.get(id) ?? [])].flatMap(([peer, one]) => (refused(one) ? [] : [{ peer, ...entry(one) }])),
    ),
    best: solutions.flatMap(({ best }) => {
      const way = best.get(id);
      return way === undefined ? [] : [{ ...words(way), peer: way.peer ?? "self" }];
    }),
    out: solutions.flatMap(({ told }) =>
      [...(told.get(id) ?? [])].map(([peer, it]) => ({
        peer,
        ...words(it),
        tags: it.tags,
        ...(it.localPreference === undefined ? {} : { localPreference: it.localPreference }),
      })),
    ),
  }));
}

function refused({ receipt }: Heard): boolean {
  return !receipt.usable && receipt.absent;
}

function entry({ announced, receipt }: Heard) {
  const way = receipt.usable ? receipt.way : { ...announced, localPreference: 0 };
  return {
    ...words(announced),
    originDomain: announced.originDomain,
    localPreference: way.localPreference,
    tags: way.tags,
    stale: false,
    ...(receipt.usable ? {} : { filtered: receipt.why[0] as string }),
  };
}

function words({ name, digest, path, origin, epoch }: Announced | Way) {
  return { name, digest, path, origin, epoch };
}
