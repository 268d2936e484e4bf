// What every table must be, worked out from what is so: which nodes are up, which links carry, and who offers what. It imports nothing
// of the product. From empty tables, round by round, each node hears what its neighbours chose in the round before, and chooses, until a
// round changes nothing. All policies let everything pass, so that what counts is the length of a way, then its origin, then the peer.

export interface Site {
  readonly name: string;
  /** The node's id, and its domain. */
  readonly id: string;
  readonly domain: string;
  readonly offers: readonly string[];
}

export interface Way {
  /** The neighbour's name; `undefined`: offered here. */
  readonly peer: string | undefined;
  readonly path: readonly string[];
  readonly origin: string;
}

export interface Table {
  readonly sessions: readonly string[];
  /** By route. */
  readonly best: ReadonlyMap<string, Way>;
  /** By neighbour and route. */
  readonly heard: ReadonlyMap<string, ReadonlyMap<string, Way>>;
}

export type Edge = readonly [a: string, b: string];

/** @param edges those that carry, between sites that are up */
export function solve(sites: readonly Site[], edges: readonly Edge[]): ReadonlyMap<string, Table> {
  const byName = new Map(sites.map((site) => [site.name, site]));
  const neighbours = new Map(
    sites.map(({ name }) => [
      name,
      edges.flatMap(([a, b]) => (a === name ? [b] : b === name ? [a] : [])).filter((one) => byName.has(one)),
    ]),
  );
  let best = new Map(sites.map((site) => [site.name, ownWays(site)]));
  for (let round = 0; round <= sites.length * 2; round++) {
    const heard = new Map(sites.map((site) => [site.name, hear(site, neighbours.get(site.name) ?? [], best, byName)]));
    const chosen = new Map(sites.map((site) => [site.name, choose(site, heard.get(site.name) ?? new Map(), byName)]));
    if (Bun.deepEquals(chosen, best)) {
      return new Map(
        sites.map(({ name }) => [
          name,
          {
            sessions: (neighbours.get(name) ?? []).toSorted(),
            best: best.get(name) ?? new Map(),
            heard: heard.get(name) ?? new Map(),
          },
        ]),
      );
    }
    best = chosen;
  }
  throw new Error("the network has no stable state");
}

type Ways = Map<string, Way>;

function ownWays({ id, offers }: Site): Ways {
  return new Map(offers.map((route) => [route, { peer: undefined, path: [], origin: id }]));
}

/** Nobody is told of a way that leads through them, or through their domain. */
function hear(site: Site, neighbours: readonly string[], best: Map<string, Ways>, byName: Map<string, Site>) {
  const heard = new Map<string, Ways>();
  for (const peer of neighbours) {
    const { domain } = byName.get(peer) as Site;
    const told: Ways = new Map();
    for (const [route, way] of best.get(peer) ?? []) {
      if (way.peer === site.name || way.path.includes(site.domain)) continue;
      told.set(route, { peer, path: [domain, ...way.path], origin: way.origin });
    }
    heard.set(peer, told);
  }
  return heard;
}

function choose(site: Site, heard: ReadonlyMap<string, Ways>, byName: Map<string, Site>): Ways {
  const chosen = ownWays(site);
  for (const ways of heard.values())
    for (const [route, way] of ways) {
      const before = chosen.get(route);
      if (before === undefined || better(way, before, byName)) chosen.set(route, way);
    }
  return chosen;
}

function better(a: Way, b: Way, byName: Map<string, Site>): boolean {
  if (b.peer === undefined || a.peer === undefined) return b.peer !== undefined;
  if (a.path.length !== b.path.length) return a.path.length < b.path.length;
  if (a.origin !== b.origin) return a.origin < b.origin;
  return (byName.get(a.peer) as Site).id < (byName.get(b.peer) as Site).id;
}
