// Who is connected with whom: domains of one node or a few, under each other as customers and providers without a cycle, the
// topmost a full mesh of peers. Of such a hierarchy Gao and Rexford (2001) showed that it comes to rest, and in one way only.

import type { Random } from "../random.ts";
import type { Relation, ScriptLink } from "./script.ts";

export interface Domain {
  readonly id: string;
  readonly nodes: readonly string[];
}

export interface Topology {
  readonly domains: readonly Domain[];
  readonly links: readonly ScriptLink[];
}

const MANY = 0.15; // of the domains have more nodes than one
const SECOND_LINK = 0.3; // … of the pairs in which one has, two links
const PEERS = 0.25; // of the domains below the top have a peer beside their providers

export function makeTopology(nodes: number, random: Random): Topology {
  const domains = makeDomains(nodes, random.stream("domains"));
  const links: ScriptLink[] = [];
  const shapes = random.stream("links");
  const join = (a: string, b: string, relation: Relation): void => {
    if (links.some((link) => link.a === a && link.b === b)) return;
    const dials = shapes.pick(["a", "b", "both"] as const);
    const delay = relation === "internal" ? shapes.between(1, 5) : shapes.between(5, 120);
    const jitter = shapes.between(0, Math.ceil(delay / 4));
    // Inside a domain it is known: it is one's own.
    const anyDomain = relation !== "internal" && shapes.chance(0.3);
    links.push({ a, b, relation, dials, delay, jitter, filters: [], anyDomain });
  };
  const joinDomains = (a: Domain, b: Domain, relation: Relation): void => {
    const count = a.nodes.length + b.nodes.length > 2 && shapes.chance(SECOND_LINK) ? 2 : 1;
    for (let link = 0; link < count; link++) join(shapes.pick(a.nodes), shapes.pick(b.nodes), relation);
  };

  for (const domain of domains) {
    for (const [at, node] of domain.nodes.entries()) {
      for (const other of domain.nodes.slice(at + 1)) join(node, other, "internal");
    }
  }
  const top = Math.min(domains.length, topDomains(nodes));
  for (const [at, domain] of domains.entries()) {
    if (at < top) {
      for (const other of domains.slice(at + 1, top)) joinDomains(domain, other, "peer");
      continue;
    }
    const related = new Set<Domain>();
    const wanted = 1 + Number(shapes.chance(0.6)) + Number(shapes.chance(0.3));
    for (let provider = 0; provider < wanted; provider++) {
      // Those above have more customers than those below.
      const other = domains[Math.floor(at * shapes.float() ** 1.7)] as Domain;
      if (related.has(other)) continue;
      related.add(other);
      joinDomains(domain, other, "provider");
    }
    const other = shapes.pick(domains.slice(0, at));
    if (shapes.chance(PEERS) && domains.indexOf(other) >= top && !related.has(other))
      joinDomains(domain, other, "peer");
  }
  return { domains, links };
}

const topDomains = (nodes: number): number => (nodes < 8 ? 2 : nodes < 30 ? 3 : 5);

function makeDomains(nodes: number, random: Random): Domain[] {
  const domains: Domain[] = [];
  for (let made = 0; made < nodes; ) {
    const size = random.chance(MANY) ? Math.min(nodes - made, random.between(2, 4)) : 1;
    const ids = Array.from({ length: size }, (_, at) => `n${made + at}`);
    // A node that belongs to nobody else is a domain of its own id.
    domains.push({ id: size === 1 ? (ids[0] as string) : `d${domains.length}`, nodes: ids });
    made += size;
  }
  return domains;
}
