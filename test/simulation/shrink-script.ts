// A script that fails, made short: first fewer events, then fewer nodes, links and routes, as long as the same kind of thing
// goes wrong.

import { fewest } from "./shrink.ts";
import { runTrial, type Script, type Simulator } from "./trial.ts";

export interface Shrunk {
  readonly script: Script;
  readonly runs: number;
}

type Event = Script["events"][number];

/** @param most runs and milliseconds that it may cost. */
export function shrinkScript(
  simulator: Simulator,
  script: Script,
  kind: string,
  most: { readonly runs: number; readonly time: number },
): Shrunk {
  const budget = { runs: most.runs, until: performance.now() + most.time };
  const fails = (candidate: Script): boolean => kindsOf(simulator, candidate).includes(kind);

  let short = script;
  for (let before = Number.POSITIVE_INFINITY; sizeOf(short) < before && budget.runs > 0; ) {
    before = sizeOf(short);
    short = withEvents(
      short,
      fewest(short.events, (part) => fails(withEvents(short, part)), budget),
    );
    short = withNodes(
      short,
      fewest(short.nodes, (part) => fails(withNodes(short, part)), budget),
    );
    short = withLinks(
      short,
      fewest(short.links, (part) => fails(withLinks(short, part)), budget),
    );
    short = withRoutes(
      short,
      fewest(routesOf(short), (part) => fails(withRoutes(short, part)), budget),
    );
  }
  return { script: short, runs: most.runs - budget.runs };
}

/** What went wrong in it; an exception is of the kind "threw". */
export function kindsOf(simulator: Simulator, script: Script): readonly string[] {
  try {
    return Object.keys(runTrial(simulator, script).kinds);
  } catch {
    return ["threw"];
  }
}

export function sizeOf({ events, nodes, links }: Script): number {
  return events.length + nodes.length + links.length + nodes.reduce((sum, { routes }) => sum + routes.length, 0);
}

function withEvents(script: Script, events: readonly Event[]): Script {
  return { ...script, events: [...events] };
}

/** With what is left of links and events between those nodes. */
function withNodes(script: Script, nodes: Script["nodes"]): Script {
  const left = new Set(nodes.map(({ id }) => id));
  return withLinks(
    { ...script, nodes, owners: script.owners.filter(({ node }) => left.has(node)) },
    script.links.filter(({ a, b }) => left.has(a) && left.has(b)),
  );
}

/** With what is left of events on those links. */
function withLinks(script: Script, links: Script["links"]): Script {
  const nodes = new Set(script.nodes.map(({ id }) => id));
  const pairs = new Set(links.flatMap(({ a, b }) => [`${a} ${b}`, `${b} ${a}`]));
  return { ...script, links, events: script.events.flatMap((event) => leftOf(event, nodes, pairs)) };
}

function leftOf(event: Event, nodes: ReadonlySet<string>, pairs: ReadonlySet<string>): Event[] {
  if ("nodes" in event) {
    const left = event.nodes.filter((node) => nodes.has(node));
    return left.length === 0 ? [] : [{ ...event, nodes: left }];
  }
  if ("a" in event) return pairs.has(`${event.a} ${event.b}`) ? [event] : [];
  if ("node" in event && !nodes.has(event.node)) return [];
  if ("peer" in event && !pairs.has(`${event.node} ${event.peer}`)) return [];
  if ("victim" in event && !nodes.has(event.victim)) return [];
  return [event];
}

interface Offered {
  readonly node: string;
  readonly name: string;
}

function routesOf({ nodes }: Script): Offered[] {
  return nodes.flatMap(({ id, routes }) => routes.map(([name]) => ({ node: id, name })));
}

function withRoutes(script: Script, offered: readonly Offered[]): Script {
  const kept = new Set(offered.map(({ node, name }) => `${node} ${name}`));
  return {
    ...script,
    nodes: script.nodes.map((node) => ({
      ...node,
      routes: node.routes.filter(([name]) => kept.has(`${node.id} ${name}`)),
    })),
  };
}
