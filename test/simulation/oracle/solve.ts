// The whole stable state of a network: from empty tables, round by round, every node hears what its peers told it in the
// round before, chooses, and tells its peers; until a round changes nothing. Names do not touch each other, so each is
// solved by itself.

import {
  ALWAYS,
  type Announced,
  announce,
  compareWays,
  ownersOf,
  type Receipt,
  receive,
  type Side,
  type Way,
} from "./rules.ts";
import type { Lie, Node, Policy, World } from "./world.ts";

const DENY: Policy = { clauses: [] };

/** For one name: what every honest node that is up has. */
export interface Solution {
  readonly name: string;
  /** By node: from each peer what it announces, and what came of it. */
  readonly heard: ReadonlyMap<string, ReadonlyMap<string, Heard>>;
  readonly best: ReadonlyMap<string, Way>;
  /** By node: to each peer. */
  readonly told: ReadonlyMap<string, ReadonlyMap<string, Announced>>;
  readonly rounds: number;
  readonly converged: boolean;
}

export interface Heard {
  readonly announced: Announced;
  readonly receipt: Receipt;
}

/** Whether that node refuses what it hears from that peer under that name because it knows of a later incarnation. */
export type Refuses = (node: string, peer: string, announced: Announced) => boolean;

/** A network, with what is the same for every name. */
export class Network {
  readonly world: World;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly names: readonly string[];
  readonly #refuses: Refuses;
  /** By node, its peers: both policies, and what that peer, where it lies, has standing there. */
  readonly #peers: ReadonlyMap<string, ReadonlyMap<string, Peering>>;
  readonly #lies: ReadonlyMap<string, ReadonlyMap<string, Lie>>;
  readonly #own: ReadonlyMap<string, ReadonlyMap<string, Way>>;

  constructor(world: World, refuses: Refuses) {
    this.world = world;
    this.#refuses = refuses;
    this.nodes = new Map(world.nodes.map((node) => [node.id, node]));
    const policies = new Map(world.policies.map((one) => [pair(one.node, one.peer), one]));
    const peers = new Map<string, Map<string, Peering>>(world.nodes.map(({ id }) => [id, new Map()]));
    for (const [a, b] of world.sessions)
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const sides = { node: this.node(from), peer: this.node(to) };
        const policy = policies.get(pair(from, to));
        peers.get(from)?.set(to, {
          in: { ...sides, policy: policy?.import ?? DENY },
          out: { ...sides, policy: policy?.export ?? DENY },
        });
      }
    this.#peers = peers;
    this.#lies = new Map(
      world.lies.map(({ from, to, routes }) => [pair(from, to), new Map(routes.map((lie) => [lie.name, lie]))]),
    );
    this.#own = new Map(
      world.nodes
        .filter(({ up, liar }) => up && !liar)
        .map((node) => [node.id, new Map(node.routes.map((route) => [route.name, this.#ownWay(node, route)]))]),
    );
    this.names = [
      ...new Set([
        ...world.nodes.filter(({ up, liar }) => up && !liar).flatMap(({ routes }) => routes.map(({ name }) => name)),
        ...world.lies.flatMap(({ routes }) => routes.map(({ name }) => name)),
      ]),
    ].sort();
  }

  node(id: string): Node {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id} in the world`);
    return node;
  }

  honest(): readonly Node[] {
    return this.world.nodes.filter(({ up, liar }) => up && !liar);
  }

  peersOf(id: string): readonly string[] {
    return [...(this.#peers.get(id)?.keys() ?? [])];
  }

  solve(name: string): Solution {
    const honest = this.honest();
    const owners = ownersOf(this.world, name);
    const heard = new Map<string, Map<string, Heard>>(honest.map(({ id }) => [id, new Map()]));
    const best = new Map<string, Way>();
    const told = new Map<string, Map<string, Announced>>(honest.map(({ id }) => [id, new Map()]));
    // What is announced in this round, to be heard in the next. Liars say what they say, once.
    let said: Said[] = this.world.lies.flatMap(({ from, to, routes }) => {
      const lie = routes.length === 0 ? undefined : this.#lies.get(pair(from, to))?.get(name);
      return lie && this.#peers.get(to)?.has(from)
        ? [{ from, to, announced: { localPreference: undefined, ...lie } }]
        : [];
    });
    let choosing = new Set(honest.filter(({ id }) => this.#own.get(id)?.has(name)).map(({ id }) => id));
    // A stable state that exists is reached after as many rounds as the longest path has nodes, twice at most.
    const most = 4 * honest.length + 8;
    let rounds = 0;
    while ((said.length > 0 || choosing.size > 0) && rounds < most) {
      rounds += 1;
      for (const one of said) {
        choosing.add(one.to);
        this.#hear(one, owners, heard.get(one.to) as Map<string, Heard>);
      }
      said = [...choosing].sort().flatMap((id) => {
        const chosen = this.#choose(id, name, heard.get(id) as Map<string, Heard>);
        if (chosen === undefined) best.delete(id);
        else best.set(id, chosen);
        return this.#tell(id, chosen, told.get(id) as Map<string, Announced>);
      });
      choosing = new Set();
    }
    return { name, heard, best, told, rounds, converged: said.length === 0 };
  }

  #hear({ from, to, announced }: Said, owners: readonly string[], heard: Map<string, Heard>): void {
    if (announced === undefined) {
      heard.delete(from);
      return;
    }
    const side = this.#peers.get(to)?.get(from)?.in as Side;
    const old = this.#refuses(to, from, announced);
    heard.set(from, { announced, receipt: receive(this.world, side, announced, owners, old) });
  }

  #choose(id: string, name: string, heard: ReadonlyMap<string, Heard>): Way | undefined {
    const own = this.#own.get(id)?.get(name);
    const ways = [...heard.values()].flatMap(({ receipt }) => (receipt.usable ? [receipt.way] : []));
    return [...(own === undefined ? [] : [own]), ...ways].sort(compareWays)[0];
  }

  /** What is new for its honest peers; `told` is brought up to date for all of them. */
  #tell(id: string, best: Way | undefined, told: Map<string, Announced>): Said[] {
    const said: Said[] = [];
    for (const [peer, { out }] of this.#peers.get(id) ?? []) {
      const announced = best === undefined ? undefined : announce(out, best);
      if (same(announced, told.get(peer))) continue;
      if (announced === undefined) told.delete(peer);
      else told.set(peer, announced);
      if (!out.peer.liar) said.push({ from: id, to: peer, announced });
    }
    return said;
  }

  #ownWay(node: Node, route: { readonly name: string; readonly digest: string }): Way {
    return {
      ...route,
      path: [],
      tags: [],
      localPreference: this.world.defaultLocalPreference,
      origin: node.id,
      originDomain: node.domain,
      epoch: node.epoch,
      expires: ALWAYS,
      genuine: true,
      peer: undefined,
      internal: false,
    };
  }
}

interface Peering {
  readonly in: Side;
  readonly out: Side;
}

/** `announced` is `undefined` where it is withdrawn. */
interface Said {
  readonly from: string;
  readonly to: string;
  readonly announced: Announced | undefined;
}

function pair(a: string, b: string): string {
  return `${a} ${b}`;
}

function same(a: Announced | undefined, b: Announced | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.digest === b.digest &&
    a.origin === b.origin &&
    a.originDomain === b.originDomain &&
    a.epoch === b.epoch &&
    a.expires === b.expires &&
    a.genuine === b.genuine &&
    a.localPreference === b.localPreference &&
    a.path.join(" ") === b.path.join(" ") &&
    a.tags.join(" ") === b.tags.join(" ")
  );
}
