// What happens in a scenario: until it is quiet, everything that the protocol has to live with; most of it ends by then, and
// a little stays as it is (nodes that are dead, links that are cut, peers that are removed).

import type { RouteLimit } from "../../limits/route-limit.ts";
import type { Leaf } from "../../wire/message.ts";
import { LIES } from "../liar/lies.ts";
import type { Random } from "../random.ts";
import { MANY, makeDigest, makeFilter } from "./random-choices.ts";
import type { Script, ScriptEvent, ScriptLink, ScriptNode } from "./script.ts";

type Bare = Omit<Script, "events">;
type Event = ScriptEvent;

const NOISY_LINKS = 10;
/** Before that the first sessions are made. */
const CALM = 15_000;
/** How often each kind happens, against the others. */
const WEIGHTS = {
  originate: 10,
  crash: 4,
  "planned-restart": 2,
  cut: 5,
  partition: 1,
  noise: 2,
  flap: 1,
  filter: 2,
  limit: 2,
  "stop-peer": 1,
  "remove-peer": 1,
  "refresh-peer": 1,
  "rotate-key": 1,
  "rotate-secret": 1,
  skew: 1,
} as const;
type Kind = keyof typeof WEIGHTS;

/** In a large scenario, those that all nodes pay for happen this often at most. */
const MOST: Partial<Record<Kind, number>> = { partition: 1, noise: 2, flap: 1, "rotate-key": 1 };

export function randomEvents(script: Bare, random: Random): Event[] {
  const maker = new EventMaker(script, random);
  const count = 12 + Math.ceil(script.nodes.length * (script.nodes.length < MANY ? 0.4 : 0.2));
  const kinds = (Object.keys(WEIGHTS) as Kind[]).flatMap((kind) => Array<Kind>(WEIGHTS[kind]).fill(kind));
  const made = new Map<Kind, number>();
  const events: Event[] = [];
  for (let number = 0; number < count; number++) {
    const kind = random.pick(kinds);
    const before = made.get(kind) ?? 0;
    if (before >= (MOST[kind] ?? Number.POSITIVE_INFINITY)) continue;
    made.set(kind, before + 1);
    events.push(maker.make(kind));
  }
  for (const node of script.nodes) if (node.liar) events.push(...maker.lies(node));
  return events.toSorted((a, b) => a.at - b.at);
}

class EventMaker {
  readonly #script: Bare;
  readonly #random: Random;
  readonly #external: readonly ScriptLink[];
  readonly #honest: readonly ScriptNode[];
  readonly #domains: readonly { readonly id: string; readonly nodes: readonly string[] }[];
  /** What each node offers, as far as the events made so far go. */
  readonly #routes = new Map<string, string[]>();
  readonly #many: boolean;
  #names = 0;
  /** Not much may be gone for good, or there is nothing left to compare. */
  #losses: number;

  constructor(script: Bare, random: Random) {
    this.#script = script;
    this.#many = script.nodes.length >= MANY;
    this.#random = random;
    this.#external = script.links.filter(({ relation }) => relation !== "internal");
    this.#honest = script.nodes.filter(({ liar }) => !liar);
    const domains = Map.groupBy(script.nodes, ({ domain }) => domain);
    this.#domains = [...domains].map(([id, nodes]) => ({ id, nodes: nodes.map((node) => node.id) }));
    this.#losses = Math.ceil(script.nodes.length / 20);
    for (const { id, routes } of script.nodes)
      this.#routes.set(
        id,
        routes.map(([name]) => name),
      );
  }

  make(type: Kind): Event {
    const random = this.#random;
    const { quietAt, links } = this.#script;
    const at = random.between(CALM, quietAt - 10_000);
    const until = Math.min(quietAt, at + random.between(500, 60_000));
    const { id: node } = random.pick(this.#honest);
    const link = random.pick(links);
    const external = random.pick(this.#external) ?? link;
    const [side, other] = random.chance(0.5) ? [link.a, link.b] : [link.b, link.a];
    switch (type) {
      case "originate":
        return this.#originate(at, node);
      case "crash":
        return { at, type, node, dark: random.chance(0.5), ...this.#ends(until) };
      case "planned-restart":
        return { at, type, node, until: Math.min(quietAt, at + random.between(100, 15_000)) };
      case "cut": {
        const ends = this.#ends(until);
        const { a, b } = ends.until === undefined ? external : link;
        return { at, type, a, b, kind: random.pick(["drop", "reset"] as const), ...ends };
      }
      case "partition": {
        const some = random.sample(
          this.#script.nodes,
          random.between(1, Math.ceil(this.#script.nodes.length / (this.#many ? 6 : 2))),
        );
        return { at, type, nodes: some.map(({ id }) => id), kind: random.pick(["drop", "reset"] as const), until };
      }
      case "noise": {
        const [loss, reorder, duplicate] = random.pick([
          [0.05, 0, 0],
          [0, 0.05, 0],
          [0, 0, 0.05],
          [0.02, 0.02, 0.02],
        ] as const);
        // Every session on them ends within seconds, and takes its routes with it: on many links, nothing else would happen.
        const noisy = random.sample(links, NOISY_LINKS).map(({ a, b }) => [a, b] as const);
        const ends = Math.min(quietAt, at + random.between(2000, 15_000));
        return { at, type, links: noisy, loss, reorder, duplicate, until: ends };
      }
      case "flap": {
        const route: Leaf = [`action:${node}.flap`, makeDigest(random)];
        return {
          at,
          type,
          node,
          route,
          period: 600,
          until: Math.min(quietAt, at + random.between(5000, this.#many ? 10_000 : 20_000)),
        };
      }
      case "filter": {
        const { node: whose, direction, clause } = makeFilter(external, this.#domains, random);
        const peer = whose === external.a ? external.b : external.a;
        return { at, type, node: whose, peer, direction, clause, ...(random.chance(0.5) ? { until } : {}) };
      }
      case "limit":
        return { at, type, node: side, peer: other, limit: this.#limit(), until };
      case "stop-peer":
        return { at, type, node: side, peer: other, until };
      case "remove-peer": {
        const ends = this.#ends(until);
        if (ends.until === undefined) return { at, type, node: external.a, peer: external.b };
        return { at, type, node: side, peer: other, ...ends };
      }
      case "refresh-peer":
        return { at, type, node: side, peer: other };
      case "rotate-key":
        return { at, type, node, useAt: Math.min(quietAt, at + 10_000), until: quietAt };
      case "rotate-secret":
        return { at, type, a: side, b: other, until };
      case "skew":
        return { at, type, node, seconds: random.between(-10, 10) };
      default:
        return type satisfies never;
    }
  }

  lies({ id: node, routes }: ScriptNode): Event[] {
    const random = this.#random;
    const { quietAt } = this.#script;
    const events: Event[] = [];
    const last = random.between(quietAt - 40_000, quietAt - 1000);
    const times = [random.between(CALM, CALM + 60_000), random.between(CALM, last), last];
    for (const at of times) events.push({ at, type: "lie", node, kinds: random.sample(LIES, random.between(3, 8)) });
    const at = random.between(CALM, quietAt - 60_000);
    if (random.chance(this.#many ? 0.1 : 0.3)) {
      const route: Leaf = [`action:${node}.flap`, ""];
      events.push({ at, type: "flap", node, route, period: 600, until: at + random.between(5000, 20_000) });
    }
    if (random.chance(0.5)) events.push({ at, type: "babble", node, text: random.pick(BABBLE) });
    if (random.chance(0.3)) {
      const victim = this.#neighborsNeighbor(node);
      // Some never give it up: they have no session to the end.
      const until = random.chance(0.3) ? {} : { until: at + random.between(5000, 50_000) };
      events.push({ at, type: "impersonate", node, victim, ...until });
    }
    if (random.chance(0.3) && routes.length > 0)
      events.push({ at, type: "crash", node, dark: random.chance(0.5), until: at + 5000 });
    return events;
  }

  /** One with whom a peer of its has a session: there it would be believed, if it could prove it. */
  #neighborsNeighbor(node: string): string {
    const peersOf = (one: string): string[] =>
      this.#script.links.flatMap(({ a, b }) => (a === one ? [b] : b === one ? [a] : []));
    const all = peersOf(node).flatMap(peersOf);
    const honest = all.filter((one) => one !== node && this.#honest.some(({ id }) => id === one));
    return honest.length > 0 ? this.#random.pick(honest) : this.#random.pick(this.#honest).id;
  }

  /** Most things end. */
  #ends(until: number): { readonly until?: number } {
    if (this.#losses === 0 || !this.#random.chance(0.2)) return { until };
    this.#losses--;
    return {};
  }

  #originate(at: number, node: string): Event {
    const random = this.#random;
    const known = this.#routes.get(node) ?? [];
    const what = random.pick(["new", "new", "changed", "withdrawn", "withdrawn"] as const);
    if (what === "new" || known.length === 0) {
      const announce = Array.from(
        { length: random.between(1, 2) },
        (): Leaf => [`action:${node}.${this.#names++}x`, makeDigest(random)],
      );
      this.#routes.set(node, [...known, ...announce.map(([name]) => name)]);
      return { at, type: "originate", node, announce, withdraw: [] };
    }
    const name = random.pick(known);
    if (what === "changed")
      return { at, type: "originate", node, announce: [[name, makeDigest(random)]], withdraw: [] };
    this.#routes.set(
      node,
      known.filter((one) => one !== name),
    );
    return { at, type: "originate", node, announce: [], withdraw: [name] };
  }

  #limit(): RouteLimit {
    const random = this.#random;
    const then = random.pick(["warn", "drop", "restart", "disable"] as const);
    return { routes: random.between(1, this.#script.nodes.length), warnAt: 0.75, then, restartAfter: 5000 };
  }
}

/** What is no message, or one that cannot be taken: the session ends with each. */
const BABBLE = [
  "",
  "null",
  '{"type":"update","seq":0',
  '{"type":"update","seq":1e99,"withdraw":[],"announce":[]}',
  '{"type":"keepalive","seq":-1}',
  '{"type":"elephant","seq":0}',
  '{"type":"open","seq":3}',
  `{"type":"keepalive","seq":0,"more":"${"x".repeat(2000)}"}`,
];
