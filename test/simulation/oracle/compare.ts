// Every table of every honest node against the solved network.

import type { Announced, Way } from "./rules.ts";
import { type Heard, Network, type Solution } from "./solve.ts";
import type { Violation } from "./violation.ts";
import type { Observed, ObservedBest, ObservedIn, ObservedNode, ObservedOut, World } from "./world.ts";

export interface Comparison {
  readonly violations: readonly Violation[];
  /** Entries that were compared, by table. */
  readonly compared: { readonly in: number; readonly best: number; readonly out: number };
  /** What became of what liars have standing: taken, or the first reason for which it must not be. */
  readonly fromLiars: Readonly<Record<string, number>>;
  /** Rounds of the slowest name. */
  readonly rounds: number;
}

interface Tables {
  readonly in: Map<string, Map<string, ObservedIn>>;
  readonly best: Map<string, ObservedBest>;
  readonly out: Map<string, Map<string, ObservedOut>>;
}

export function compare(world: World, observed: Observed): Comparison {
  const tables = new Map(observed.map((node) => [node.node, tablesOf(node)]));
  const epochs = new Map(world.nodes.map(({ id, epoch }) => [id, epoch]));
  // An earlier incarnation's words are refused by who was told of the later one. Who was, the network as it stands does not
  // tell: the table does, and `oldEpochs` has the last word on it.
  const network = new Network(world, (node, peer, { name, origin, epoch }) => {
    if (epoch >= (epochs.get(origin) ?? 0)) return false;
    const entry = tables.get(node)?.in.get(name)?.get(peer);
    return entry === undefined || entry.epoch !== epoch || entry.filtered === "old-epoch";
  });

  const violations: Violation[] = [...missingNodes(network, tables), ...sessions(network, observed)];
  const compared = { in: 0, best: 0, out: 0 };
  const latest = new Map<string, Map<string, number>>();
  const taken: Taken[] = [];
  const fromLiars: Record<string, number> = {};
  let rounds = 0;
  const names = new Set([...network.names, ...observed.flatMap((node) => namesOf(node))]);
  for (const name of names) {
    const solution = network.solve(name);
    rounds = Math.max(rounds, solution.rounds);
    if (!solution.converged)
      violations.push({ kind: "no-convergence", node: "all", name, expected: "a stable state", got: "none" });
    for (const { id } of network.honest()) {
      const own = tables.get(id);
      if (own === undefined) continue;
      for (const [peer, { announced, receipt }] of solution.heard.get(id) ?? []) {
        if (receipt.usable || !receipt.absent) note(latest, id, announced);
        if (network.node(peer).liar) {
          const outcome = receipt.usable ? "taken" : (receipt.why[0] as string);
          fromLiars[outcome] = (fromLiars[outcome] ?? 0) + 1;
        }
        if (receipt.usable && announced.epoch < (epochs.get(announced.origin) ?? 0))
          taken.push({ node: id, peer, announced });
      }
      violations.push(
        ...compareIn(id, name, solution, own, compared),
        ...compareBest(id, name, solution, own, compared),
        ...compareOut(id, name, solution, own, compared),
      );
    }
  }
  violations.push(...oldEpochs(taken, latest));
  return { violations, compared, fromLiars, rounds };
}

function missingNodes(network: Network, tables: ReadonlyMap<string, Tables>): Violation[] {
  return network
    .honest()
    .filter(({ id }) => !tables.has(id))
    .map(({ id }) => ({ kind: "session", node: id, expected: "tables of a node that is up", got: "none" }));
}

function sessions(network: Network, observed: Observed): Violation[] {
  return observed.flatMap(({ node, sessions }) => {
    const expected = [...network.peersOf(node)].sort();
    const got = [...sessions].sort();
    if (expected.join(" ") === got.join(" ")) return [];
    const lacking = expected.filter((peer) => !got.includes(peer)).join(" ");
    const surplus = got.filter((peer) => !expected.includes(peer)).join(" ");
    return [
      {
        kind: "session" as const,
        node,
        expected: lacking === "" ? "no session" : `established with ${lacking}`,
        got: surplus === "" ? "not" : `established with ${surplus}`,
      },
    ];
  });
}

function compareIn(
  node: string,
  name: string,
  solution: Solution,
  tables: Tables,
  compared: { in: number },
): Violation[] {
  const expected = solution.heard.get(node) ?? new Map<string, Heard>();
  const got = tables.in.get(name) ?? new Map<string, ObservedIn>();
  const violations: Violation[] = [];
  for (const peer of new Set([...expected.keys(), ...got.keys()])) {
    compared.in += 1;
    const here = expected.get(peer);
    const there = got.get(peer);
    if (there?.stale)
      violations.push({ kind: "stale", node, peer, name, expected: "no stale path", got: showIn(there) });
    if (inAgrees(here, there)) continue;
    const wanted = here === undefined ? "nothing" : showHeard(here);
    const found = there === undefined ? "nothing" : showIn(there);
    violations.push({ kind: "adj-rib-in", node, peer, name, expected: wanted, got: found });
  }
  return violations;
}

function inAgrees(expected: Heard | undefined, got: ObservedIn | undefined): boolean {
  if (expected === undefined) return got === undefined;
  const { announced, receipt } = expected;
  if (got === undefined) return !receipt.usable && receipt.absent;
  // Of a path that is too long the end need not be kept.
  const cut = !receipt.usable && receipt.why.includes("path-too-long");
  const sameWords =
    announced.digest === got.digest &&
    announced.origin === got.origin &&
    announced.originDomain === got.originDomain &&
    announced.epoch === got.epoch &&
    sameList(cut ? announced.path.slice(0, got.path.length) : announced.path, got.path);
  if (!sameWords) return false;
  if (!receipt.usable) return got.filtered !== undefined && receipt.why.includes(got.filtered);
  const { way } = receipt;
  return got.filtered === undefined && way.localPreference === got.localPreference && sameSet(way.tags, got.tags);
}

function compareBest(
  node: string,
  name: string,
  solution: Solution,
  tables: Tables,
  compared: { best: number },
): Violation[] {
  const expected = solution.best.get(node);
  const got = tables.best.get(name);
  if (expected === undefined && got === undefined) return [];
  compared.best += 1;
  const agree =
    expected !== undefined &&
    got !== undefined &&
    (expected.peer ?? "self") === got.peer &&
    expected.digest === got.digest &&
    expected.origin === got.origin &&
    expected.epoch === got.epoch &&
    sameList(expected.path, got.path);
  if (agree) return [];
  return [{ kind: "loc-rib", node, name, expected: showWay(expected), got: showBest(got) }];
}

function compareOut(
  node: string,
  name: string,
  solution: Solution,
  tables: Tables,
  compared: { out: number },
): Violation[] {
  const expected = solution.told.get(node) ?? new Map<string, Announced>();
  const got = tables.out.get(name) ?? new Map<string, ObservedOut>();
  const violations: Violation[] = [];
  for (const peer of new Set([...expected.keys(), ...got.keys()])) {
    compared.out += 1;
    const here = expected.get(peer);
    const there = got.get(peer);
    const agree =
      here !== undefined &&
      there !== undefined &&
      here.digest === there.digest &&
      here.origin === there.origin &&
      here.epoch === there.epoch &&
      here.localPreference === there.localPreference &&
      sameList(here.path, there.path) &&
      sameSet(here.tags, there.tags);
    if (!agree) violations.push({ kind: "adj-rib-out", node, peer, name, expected: show(here), got: show(there) });
  }
  return violations;
}

interface Taken {
  readonly node: string;
  readonly peer: string;
  readonly announced: Announced;
}

/** Whoever holds anything of a later incarnation of an origin knows of it, and must not take what an earlier one signed. */
function oldEpochs(taken: readonly Taken[], latest: ReadonlyMap<string, ReadonlyMap<string, number>>): Violation[] {
  return taken.flatMap(({ node, peer, announced: { name, origin, epoch } }) => {
    const known = latest.get(node)?.get(origin) ?? 0;
    if (known <= epoch) return [];
    const got = `epoch ${epoch} of ${origin}`;
    return [{ kind: "old-epoch" as const, node, peer, name, expected: `nothing before epoch ${known}`, got }];
  });
}

function note(latest: Map<string, Map<string, number>>, node: string, { origin, epoch }: Announced): void {
  const known = latest.get(node) ?? new Map<string, number>();
  latest.set(node, known);
  known.set(origin, Math.max(epoch, known.get(origin) ?? 0));
}

function tablesOf(node: ObservedNode): Tables {
  const tables: Tables = { in: new Map(), best: new Map(), out: new Map() };
  for (const one of node.in) put(tables.in, one);
  for (const one of node.best) tables.best.set(one.name, one);
  for (const one of node.out) put(tables.out, one);
  return tables;
}

function put<T extends { readonly name: string; readonly peer: string }>(
  table: Map<string, Map<string, T>>,
  one: T,
): void {
  const byPeer = table.get(one.name);
  if (byPeer === undefined) table.set(one.name, new Map([[one.peer, one]]));
  else byPeer.set(one.peer, one);
}

function namesOf(node: ObservedNode): string[] {
  return [...node.in, ...node.best, ...node.out].map(({ name }) => name);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return sameList([...a].sort(), [...b].sort());
}

function show(it: Announced | ObservedOut | undefined): string {
  if (it === undefined) return "nothing";
  const preference = it.localPreference === undefined ? "" : ` preference ${it.localPreference}`;
  return `[${it.path.join(" ")}] of ${it.origin}@${it.epoch}${preference} tags [${[...it.tags].sort().join(" ")}] ${it.digest}`;
}

function showHeard({ announced, receipt }: Heard): string {
  if (receipt.usable) return show(receipt.way);
  return `${show(announced)}, ${receipt.absent ? "refused or " : ""}filtered: ${receipt.why.join(" or ")}`;
}

function showIn(it: ObservedIn): string {
  return `${show(it)}${it.filtered === undefined ? "" : `, filtered: ${it.filtered}`}${it.stale ? ", stale" : ""}`;
}

function showWay(way: Way | undefined): string {
  return way === undefined ? "nothing" : `${way.peer ?? "self"}: ${show(way)}`;
}

function showBest(best: ObservedBest | undefined): string {
  if (best === undefined) return "nothing";
  return `${best.peer}: [${best.path.join(" ")}] of ${best.origin}@${best.epoch} ${best.digest}`;
}
