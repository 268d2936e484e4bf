// A seed and a number of nodes make a script, always the same one.

import type { Damping } from "../../limits/route-limit.ts";
import type { SpeakerTiming } from "../../speaker/speaker-config.ts";
import type { Leaf } from "../../wire/message.ts";
import { Random } from "../random.ts";
import { MANY, makeDigest, makeFilter } from "./random-choices.ts";
import { randomEvents } from "./random-events.ts";
import type { Script, ScriptLink, ScriptNode } from "./script.ts";
import { type Domain, makeTopology } from "./topology.ts";

const LIARS = 0.06;
const FILTERED_LINKS = 0.2;

export function randomScript({ seed, nodes }: { readonly seed: number; readonly nodes: number }): Script {
  const random = new Random(seed, `script of ${nodes}`);
  const { domains, links: bare } = makeTopology(nodes, random.stream("topology"));
  const timing = makeTiming(nodes, random.stream("timing"));
  const scriptNodes = makeNodes(domains, random.stream("nodes"));
  const links = withFilters(bare, domains, random.stream("filters"));
  const owners = makeOwners(scriptNodes, random.stream("owners"));
  const quietAt = random.between(nodes < MANY ? 240 : 180, nodes < MANY ? 480 : 300) * 1000;
  const damping = random.chance(0.4) ? DAMPING : undefined;
  const bareScript = { seed, timing, damping, nodes: withShared(scriptNodes, owners), links, owners, quietAt };
  return { ...bareScript, events: randomEvents(bareScript, random.stream("events")) };
}

/** Short, so that much happens: a route is suppressed for half a minute at most. */
const DAMPING: Damping = {
  withdrawal: 1000,
  change: 500,
  suppressAt: 3000,
  reuseAt: 750,
  most: 6000,
  halfLife: 10_000,
};

function makeTiming(nodes: number, random: Random): SpeakerTiming {
  // Where many send keepalives, they send them more rarely: a second of simulated time has to stay cheap.
  const lifetime = nodes <= 12 && random.chance(0.3) ? 240 : 7200;
  return {
    holdTime: nodes < MANY ? random.pick([9000, 15_000, 30_000]) : random.pick([30_000, 45_000]),
    minHoldTime: 3000,
    connectTime: 5000,
    openTime: 5000,
    backoff: { first: 1000, last: 10_000 },
    restartTime: random.pick([0, 20_000, 30_000]),
    deferral: 10_000,
    advertisementInterval: random.pick([100, 500, 1000]),
    tolerance: 30,
    lifetime,
    maxLifetime: 2 * lifetime,
    epochGrace: 20_000,
  };
}

function makeNodes(domains: readonly Domain[], random: Random): ScriptNode[] {
  const count = domains.reduce((sum, { nodes }) => sum + nodes.length, 0);
  const alone = domains.flatMap(({ nodes }) => (nodes.length === 1 ? nodes : []));
  const liars = new Set(count < 5 ? [] : random.sample(alone, Math.max(1, Math.round(count * LIARS))));
  return domains.flatMap(({ id: domain, nodes }) =>
    nodes.map((id) => ({
      id,
      domain,
      routes: makeRoutes(id, count >= MANY, random),
      startAt: random.between(0, 3000),
      skew: random.between(-10, 10),
      drift: random.between(-500, 500),
      pathLength: random.chance(0.1) ? random.between(4, 7) : 64,
      chunkSize: random.pick([1, 2, 256]),
      updateRoutes: random.pick([16, 256, 4096]),
      liar: liars.has(id),
    })),
  );
}

function makeRoutes(node: string, many: boolean, random: Random): Leaf[] {
  // Where there are many nodes, there are names enough.
  // And some have more than go into one update, or one chunk.
  const lots = !many && random.chance(0.1);
  const count = lots ? 40 : random.pick(many ? [0, 0, 0, 0, 1, 1, 2] : [0, 1, 1, 1, 2, 3]);
  return Array.from({ length: count }, (_, at) => [
    `${random.pick(["action", "action", "topic", "channel"])}:${node}.${at}`,
    makeDigest(random),
  ]);
}

/** Everybody owns what begins with its id, and some names are offered by several. */
function makeOwners(nodes: readonly ScriptNode[], random: Random): Script["owners"] {
  const own = nodes.map(({ id }) => ({
    routes: ["action", "topic", "channel"].map((kind) => `${kind}:${id}.*`),
    node: id,
  }));
  const honest = nodes.filter(({ liar }) => !liar).map(({ id }) => id);
  const shared = Array.from({ length: Math.ceil(nodes.length / 30) }, (_, at) => `action:shared.${at}`);
  return [
    ...own,
    ...shared.flatMap((name) => random.sample(honest, random.between(2, 3)).map((node) => ({ routes: [name], node }))),
  ];
}

function withShared(nodes: readonly ScriptNode[], owners: Script["owners"]): ScriptNode[] {
  return nodes.map((node) => {
    const shared = owners.filter((owner) => owner.node === node.id && !owner.routes[0]?.endsWith("*"));
    const routes = shared.flatMap((owner) => owner.routes.map((name): Leaf => [name, ""]));
    return { ...node, routes: [...node.routes, ...routes] };
  });
}

function withFilters(links: readonly ScriptLink[], domains: readonly Domain[], random: Random): ScriptLink[] {
  return links.map((link) => {
    if (link.relation === "internal" || !random.chance(FILTERED_LINKS)) return link;
    return { ...link, filters: [makeFilter(link, domains, random)] };
  });
}
