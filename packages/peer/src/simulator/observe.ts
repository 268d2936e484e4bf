// What there is at the end: the world as the script and the wire have made it, and what each honest node believes of it.

import type { Path } from "../rib/path.ts";
import { listOf } from "../wire/words.ts";
import type { SimNode } from "./sim-node.ts";
import type { Simulation } from "./simulation.ts";
import type {
  ObservedBest,
  ObservedIn,
  ObservedNode,
  ObservedOut,
  World,
  WorldLies,
  WorldNode,
  WorldPolicy,
} from "./world.ts";

export function worldOf(simulation: Simulation): World {
  const { script } = simulation;
  const honest = script.nodes.filter(({ liar }) => !liar);
  const present = new Set(script.nodes.map(({ id }) => id));
  return {
    seed: script.seed,
    tolerance: script.timing.tolerance,
    defaultLocalPreference: 100,
    nodes: script.nodes.map(({ id }) => nodeOf(simulation, id)),
    owners: script.owners.filter(({ node }) => present.has(node)).map(({ routes, node }) => ({ routes, node })),
    sessions: sessionsOf(simulation),
    policies: honest.flatMap(({ id }) => policiesOf(simulation, id)),
    lies: liesOf(simulation),
  };
}

export function observe(simulation: Simulation): ObservedNode[] {
  return [...simulation.nodes.values()]
    .filter(({ liar, up }) => liar === undefined && up)
    .map((node) => observeNode(simulation, node));
}

function nodeOf(simulation: Simulation, id: string): WorldNode {
  const setup = simulation.administration.node(id);
  const node = simulation.nodes.get(id);
  if (setup === undefined || node === undefined) throw new Error(`no node ${id}`);
  const offers = node.up ? [...(simulation.offers.get(id)?.values() ?? [])] : [];
  return {
    id,
    domain: setup.domain,
    up: node.up,
    epoch: simulation.epochs.get(id) ?? 0,
    wall: node.clock.at(simulation.clock.now).wall,
    routes: offers.map(([name, digest]) => ({ name, digest })).toSorted(byName),
    liar: setup.liar,
    pathLength: setup.pathLength,
  };
}

function sessionsOf(simulation: Simulation): [string, string][] {
  const { administration, network, nodes, witnesses } = simulation;
  return simulation.script.links.flatMap(({ a, b }): [string, string][] => {
    const stands = [
      [a, b],
      [b, a],
    ].every(([node = "", peer = ""]) => {
      const side = administration.side(node, peer);
      const sim = nodes.get(node);
      return (
        sim?.up === true &&
        sim.liar?.impersonates === undefined &&
        side?.configured === true &&
        !side.stopped &&
        !(side.limit?.then === "disable" && witnesses.disabled.has(`${node} ${peer}`))
      );
    });
    return stands && network.link(a, b)?.state === undefined ? [[a, b]] : [];
  });
}

function policiesOf(simulation: Simulation, node: string): WorldPolicy[] {
  const { administration } = simulation;
  return [...administration.sidesOf(node)]
    .filter(({ configured }) => configured)
    .map((side) => ({ node, peer: side.peer, ...administration.policies(side) }));
}

/** Of each liar's connections to an honest node, the newest over which a whole table came is the one that stands. */
function liesOf(simulation: Simulation): WorldLies[] {
  const longest = simulation.script.timing.maxLifetime + simulation.script.timing.tolerance;
  return [...simulation.wiretaps.values()].flatMap((taps): WorldLies[] => {
    const newest = [...taps.values()].filter(({ reader }) => reader.whole).at(-1);
    if (newest === undefined || simulation.nodes.get(newest.to)?.liar !== undefined) return [];
    const { wall } = nodeOf(simulation, newest.to);
    const keyIs = (node: string, key: string): boolean => simulation.isKeyOf(node, key);
    // A promise for longer than anybody may make counts for nothing, whoever signed it.
    const routes = newest.reader
      .routes(keyIs)
      .map((lie) => ({ ...lie, genuine: lie.genuine && lie.expires <= wall + longest }));
    return [{ from: newest.from, to: newest.to, routes }];
  });
}

function observeNode({ administration }: Simulation, { id, speaker }: SimNode): ObservedNode {
  if (speaker === undefined) throw new Error(`${id} is down`);
  const { rib } = speaker;
  const peers = [...administration.sidesOf(id)].map(({ peer }) => peer).toSorted();
  const sessions = peers.filter((peer) => speaker.session(peer) !== undefined);
  const into = peers.flatMap((peer) => [...rib.received(peer)].map((path) => pathIn(peer, path)).toSorted(byName));
  const best = [...rib.names()].toSorted().flatMap((name) => {
    const path = rib.best(name);
    return path === undefined ? [] : [bestOf(path)];
  });
  const out = sessions.flatMap((peer) =>
    [...rib.advertised(peer)]
      .map(({ name, digest, path, localPreference, tags, chunk }): ObservedOut => {
        const preference = localPreference === undefined ? {} : { localPreference };
        const { node: origin, epoch } = chunk.claim;
        return { peer, name, digest, path: listOf(path), origin, epoch, ...preference, tags: listOf(tags) };
      })
      .toSorted(byName),
  );
  return { node: id, sessions, in: into, best, out };
}

function pathIn(peer: string, { name, digest, received, attributes, filtered, stale }: Path): ObservedIn {
  const { node: origin, domain: originDomain, epoch } = received.chunk.claim;
  const { localPreference } = attributes;
  const why = filtered === undefined ? {} : { filtered: filtered.why };
  const [path, tags] = [listOf(received.path), listOf(attributes.tags)];
  return { peer, name, digest, path, origin, originDomain, epoch, localPreference, tags, ...why, stale };
}

function bestOf({ name, digest, attributes }: Path): ObservedBest {
  const { peer = "self", path, chunk } = attributes;
  return { name, digest, peer, origin: chunk.claim.node, epoch: chunk.claim.epoch, path: listOf(path) };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
