// Makes a script's events happen: now, and where they have an end, then. What an event begins, only it ends, so that events
// may overlap and may be taken out of a script one by one.

import type { RouteClause } from "../../policy/route-policy.ts";
import { QUIET } from "../link.ts";
import type { Simulation } from "../simulation.ts";
import type { ScriptEvent } from "./script.ts";

type Of<Type extends ScriptEvent["type"]> = Extract<ScriptEvent, { readonly type: Type }>;

/** `number`: the event's place in its script, which tells it from others. */
export function playEvent(simulation: Simulation, event: ScriptEvent, number: number): void {
  const { clock, trace } = simulation;
  clock.plan(event.at, () => {
    trace.line(clock.now, "-", `script-${event.type}`, JSON.stringify(event));
    begin(simulation, event, `${event.type} ${number}`);
  });
}

function begin(simulation: Simulation, event: ScriptEvent, reason: string): void {
  switch (event.type) {
    case "crash":
      crash(simulation, event);
      break;
    case "planned-restart":
      plannedRestart(simulation, event);
      break;
    case "cut":
      cutLinks(simulation, [[event.a, event.b]], event, reason);
      break;
    case "partition":
      partition(simulation, event, reason);
      break;
    case "noise":
      noise(simulation, event);
      break;
    case "originate":
      for (const leaf of event.announce) simulation.offers.get(event.node)?.set(leaf[0], leaf);
      for (const name of event.withdraw) simulation.offers.get(event.node)?.delete(name);
      simulation.tell(event.node, { type: "originate", announce: event.announce, withdraw: event.withdraw });
      break;
    case "flap":
      flap(simulation, event);
      break;
    case "filter":
      filter(simulation, event);
      break;
    case "limit":
      limit(simulation, event);
      break;
    case "stop-peer":
      stopPeer(simulation, event);
      break;
    case "remove-peer":
      removePeer(simulation, event);
      break;
    case "refresh-peer":
      simulation.tell(event.node, { type: "refresh-peer", node: event.peer });
      break;
    case "rotate-key":
      rotateKey(simulation, event);
      break;
    case "rotate-secret":
      rotateSecret(simulation, event, reason);
      break;
    case "skew": {
      const node = simulation.nodes.get(event.node);
      if (node !== undefined) node.clock.skew = event.seconds;
      break;
    }
    case "lie":
      lie(simulation, event);
      break;
    case "babble": {
      const node = simulation.nodes.get(event.node);
      for (const [connection, texts] of node?.liar?.babble(event.text) ?? []) node?.say(connection, texts);
      break;
    }
    case "impersonate":
      impersonate(simulation, event);
      break;
    default:
      event satisfies never;
  }
}

function later(simulation: Simulation, at: number | undefined, run: () => void): void {
  if (at !== undefined) simulation.clock.plan(at, run);
}

function crash(simulation: Simulation, { node: id, dark, until }: Of<"crash">): void {
  const node = simulation.nodes.get(id);
  if (node?.up !== true) return;
  node.crash(dark);
  later(simulation, until, () => simulation.start(id));
}

/** What it says last is out before its process ends. */
const LAST_WORDS = 50;

function plannedRestart(
  simulation: Simulation,
  { node: id, until }: { readonly node: string; readonly until: number },
): void {
  const node = simulation.nodes.get(id);
  if (node?.up !== true) return;
  const { life } = node;
  node.input({ type: "going-down" });
  later(simulation, simulation.clock.now + LAST_WORDS, () => {
    if (node.life === life && node.up) node.crash(false);
  });
  later(simulation, Math.max(until, simulation.clock.now + 2 * LAST_WORDS), () => simulation.start(id));
}

function cutLinks(
  simulation: Simulation,
  pairs: readonly (readonly [string, string])[],
  { kind, until }: Pick<Of<"cut">, "kind" | "until">,
  reason: string,
): void {
  for (const [a, b] of pairs) simulation.network.cut(a, b, reason, kind);
  later(simulation, until, () => {
    for (const [a, b] of pairs) simulation.network.link(a, b)?.heal(reason);
  });
}

function partition(simulation: Simulation, event: Of<"partition">, reason: string): void {
  const inside = new Set(event.nodes);
  const between = simulation.script.links.filter(({ a, b }) => inside.has(a) !== inside.has(b));
  cutLinks(
    simulation,
    between.map(({ a, b }) => [a, b] as const),
    event,
    reason,
  );
}

/** The last noise counts. */
function noise(simulation: Simulation, { links: pairs, loss, reorder, duplicate, until }: Of<"noise">): void {
  const made = { loss, reorder, duplicate };
  const links = pairs.flatMap(([a, b]) => simulation.network.link(a, b) ?? []);
  for (const link of links) link.noise = made;
  later(simulation, until, () => {
    for (const link of links) if (link.noise === made) link.noise = QUIET;
  });
}

function flap(simulation: Simulation, { node, route, period, until }: Of<"flap">): void {
  const offers = simulation.offers.get(node);
  const [name] = route;
  const turn = (there: boolean): void => {
    if (there) offers?.set(name, route);
    else offers?.delete(name);
    simulation.tell(node, { type: "originate", announce: there ? [route] : [], withdraw: there ? [] : [name] });
    const next = simulation.clock.now + period / 2;
    if (next < until) later(simulation, next, () => turn(!there));
    else if (!there) later(simulation, until, () => turn(true));
  };
  turn(true);
}

function filter(simulation: Simulation, { node, peer, direction, clause, until }: Of<"filter">): void {
  const clauses = simulation.administration.side(node, peer)?.filters[direction];
  if (clauses === undefined) return;
  const own: RouteClause = { ...clause };
  clauses.unshift(own);
  simulation.configure(node, peer);
  later(simulation, until, () => {
    clauses.splice(clauses.indexOf(own), 1);
    simulation.configure(node, peer);
  });
}

function limit(simulation: Simulation, event: Of<"limit">): void {
  const { node, peer } = event;
  const side = simulation.administration.side(node, peer);
  if (side === undefined) return;
  side.limit = event.limit;
  simulation.configure(node, peer);
  later(simulation, event.until, () => {
    if (side.limit !== event.limit) return;
    side.limit = undefined;
    simulation.configure(node, peer);
    // Where the limit has said `disable`, the operator starts it again.
    if (!side.stopped && side.configured) simulation.tell(node, { type: "start-peer", node: peer });
  });
}

function stopPeer(simulation: Simulation, { node, peer, until }: Of<"stop-peer">): void {
  const side = simulation.administration.side(node, peer);
  if (side === undefined || side.stopped) return;
  side.stopped = true;
  if (side.configured) simulation.tell(node, { type: "stop-peer", node: peer });
  later(simulation, until, () => {
    side.stopped = false;
    if (side.configured) simulation.tell(node, { type: "start-peer", node: peer });
  });
}

function removePeer(simulation: Simulation, { node, peer, until }: Of<"remove-peer">): void {
  const side = simulation.administration.side(node, peer);
  if (side === undefined || !side.configured) return;
  side.configured = false;
  simulation.tell(node, { type: "remove-peer", node: peer });
  later(simulation, until, () => {
    side.configured = true;
    simulation.configure(node, peer);
    if (side.stopped) simulation.tell(node, { type: "stop-peer", node: peer });
  });
}

function rotateKey(simulation: Simulation, { node, useAt, until }: Of<"rotate-key">): void {
  const { administration } = simulation;
  if (administration.node(node) === undefined) return;
  const old = administration.keyInUse(node);
  const next = old + 1;
  const publish = (known: readonly number[]): void =>
    administration.publishKeys(node, known, () => {
      for (const { peer } of administration.sidesOf(node)) simulation.configure(peer, node);
      for (const id of simulation.nodes.keys()) {
        simulation.tell(id, { type: "set-owners", owners: administration.owners() });
      }
    });
  publish([old, next]);
  later(simulation, useAt, () => {
    administration.useKey(node, next);
    // A key is a start's: those that are down get it anyway.
    plannedRestart(simulation, { node, until: simulation.clock.now + 500 });
  });
  later(simulation, until, () => publish([next]));
}

function rotateSecret(simulation: Simulation, { a, b, until }: Of<"rotate-secret">, reason: string): void {
  const { administration, clock } = simulation;
  const sides = [administration.side(a, b), administration.side(b, a)];
  const [old] = sides[0]?.secrets ?? [];
  const next = Number(reason.split(" ")[1]) + 1; // no two rotations make the same one
  const step = (which: 0 | 1, secrets: readonly number[]): void => {
    const side = sides[which];
    if (side === undefined) return;
    side.secrets = secrets;
    simulation.configure(side.node, side.peer);
  };
  if (old === undefined || sides.some((side) => side?.secrets.length !== 1)) return; // one at a time
  const third = (until - clock.now) / 3;
  step(0, [old, next]);
  later(simulation, clock.now + third, () => step(1, [next, old]));
  later(simulation, clock.now + 2 * third, () => step(0, [next]));
  later(simulation, until, () => step(1, [next]));
}

function lie(simulation: Simulation, { node: id, kinds }: Of<"lie">): void {
  const { administration, script, clock } = simulation;
  const node = simulation.nodes.get(id);
  const liar = node?.liar;
  if (node === undefined || liar === undefined || !node.up) return;
  const { publicKey: key, sign } = administration.identity(id);
  const peers = [...administration.sidesOf(id)].map(({ peer }) => peer);
  const { wall } = node.clock.at(clock.now);
  const domain = administration.domainOf(id);
  const epoch = simulation.epochs.get(id) ?? 1;
  const random = simulation.stream(`lie of ${id} at ${clock.now}`);
  const means = { node: id, domain, key, sign, epoch, wall, lifetime: script.timing.lifetime, random };
  for (const [connection, texts] of liar.lie(kinds, peers, means)) node.say(connection, texts);
}

function impersonate(simulation: Simulation, { node: id, victim, until }: Of<"impersonate">): void {
  const node = simulation.nodes.get(id);
  const liar = node?.liar;
  if (node === undefined || liar === undefined) return;
  const reconnect = (): void => {
    for (const { peer, stopped, configured } of simulation.administration.sidesOf(id)) {
      if (stopped || !configured) continue;
      node.input({ type: "stop-peer", node: peer });
      node.input({ type: "start-peer", node: peer });
    }
  };
  const { administration } = simulation;
  if (administration.node(victim) === undefined) return;
  liar.impersonates = {
    node: victim,
    domain: administration.domainOf(victim),
    key: administration.identity(victim).publicKey,
    secretWith: (peer) => administration.secretIds(victim, peer)[0] ?? "",
  };
  reconnect();
  later(simulation, until, () => {
    liar.impersonates = undefined;
    reconnect();
  });
}
