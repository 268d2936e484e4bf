// Checks that need no solution, only what the nodes believe: a call that goes from node to node along best paths must come
// to an origin that may originate the name, and no node twice.

import { ownersOf } from "./rules.ts";
import type { Violation } from "./violation.ts";
import type { Observed, ObservedBest, World } from "./world.ts";

export interface Forwarding {
  readonly violations: readonly Violation[];
  /** Ways that were followed, and those of them that ended at a liar, which may do with calls as it likes. */
  readonly followed: number;
  readonly atLiars: number;
}

export function follow(world: World, observed: Observed): Forwarding {
  const nodes = new Map(world.nodes.map((node) => [node.id, node]));
  const tables = new Map(
    observed.map(({ node, best }) => [node, new Map(best.map((one) => [one.name, one]))] as const),
  );
  const owners = new Map<string, readonly string[]>();
  const violations: Violation[] = [];
  let followed = 0;
  let atLiars = 0;
  for (const [node, table] of tables)
    for (const best of table.values()) {
      followed += 1;
      const end = walk(node, best);
      if (end === "liar") atLiars += 1;
      else if (end !== undefined) violations.push(end);
      violations.push(...foreign(node, best));
    }
  return { violations, followed, atLiars };

  function walk(from: string, first: ObservedBest): Violation | "liar" | undefined {
    const { name } = first;
    const passed = [from];
    for (let best = first; ; ) {
      const here = passed.at(-1) as string;
      if (best.peer === "self") {
        if (here === first.origin) return agreesWithPath(passed, first);
        return { kind: "black-hole", node: from, name, expected: `to reach ${first.origin}`, got: passed.join(" → ") };
      }
      const next = nodes.get(best.peer);
      const way = [...passed, best.peer].join(" → ");
      if (passed.includes(best.peer))
        return { kind: "forwarding-loop", node: from, name, expected: "no node twice", got: way };
      if (next?.up !== true) return { kind: "black-hole", node: from, name, expected: "nodes that are up", got: way };
      if (next.liar) return "liar";
      const onward = tables.get(best.peer)?.get(name);
      if (onward === undefined)
        return { kind: "black-hole", node: from, name, expected: `a best path at ${best.peer}`, got: way };
      passed.push(best.peer);
      best = onward;
    }
  }

  function foreign(node: string, { name, origin, peer }: ObservedBest): Violation[] {
    const owning = owners.get(name) ?? ownersOf(world, name);
    owners.set(name, owning);
    if (owning.length === 0 || owning.includes(origin)) return [];
    const expected = `an origin of ${owning.join(" ")}`;
    return [{ kind: "foreign-name", node, peer, name, expected, got: `origin ${origin}` }];
  }

  /** The path that was announced is the way that is gone: the same domains in the same order. */
  function agreesWithPath(passed: readonly string[], { name, path }: ObservedBest): Violation | undefined {
    const domains = passed.map((id) => nodes.get(id)?.domain ?? "?");
    const gone = withoutRepeats(domains).slice(1).join(" ");
    const told = withoutRepeats(path).join(" ");
    if (gone === told) return undefined;
    return {
      kind: "wrong-way",
      node: passed[0] as string,
      name,
      expected: `[${told}], as announced`,
      got: `[${gone}]`,
    };
  }
}

function withoutRepeats(domains: readonly string[]): string[] {
  return domains.filter((domain, at) => domain !== domains[at - 1]);
}
