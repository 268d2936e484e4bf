// What a script's nodes and its events both choose by chance: digests of routes, and filters.

import type { RouteClause } from "../../policy/route-policy.ts";
import type { Random } from "../random.ts";
import type { Filter, ScriptLink } from "./script.ts";
import type { Domain } from "./topology.ts";

/** Nodes from which on a scenario has to be sparing with what all of them pay for. */
export const MANY = 40;

export const makeDigest = (random: Random): string =>
  random.chance(0.1) ? "" : Buffer.from(random.bytes(32)).toString("base64url");

/** One that cannot keep the nodes from coming to rest: it takes paths away, or changes what is told of a domain's own. */
export function makeFilter(link: Pick<ScriptLink, "a" | "b">, domains: readonly Domain[], random: Random): Filter {
  const node = random.pick([link.a, link.b]);
  const domain = random.pick(domains);
  const other = random.pick(domain.nodes);
  const rejects: RouteClause["match"][] = [
    { routes: [`action:${other}.*`] },
    { routes: ["topic:*"] },
    { routes: [`channel:${other}.0`, `action:${other}.1`] },
    { through: [domain.id] },
    { origins: [other] },
    { originDomains: [domain.id] },
    { tags: ["scarce"] },
  ];
  const own = { name: "our own, marked", then: "accept", match: { learnedFrom: ["self"] } } as const;
  const marks: RouteClause[] = [
    { ...own, set: { addTags: ["scarce"] } },
    { ...own, set: { prepend: random.between(1, 3) } },
  ];
  const direction = random.pick(["import", "export"] as const);
  if (direction === "export" && random.chance(0.5)) return { node, direction, clause: random.pick(marks) };
  const match = random.pick(rejects) as NonNullable<RouteClause["match"]>;
  return { node, direction, clause: { name: `not ${JSON.stringify(match)}`, then: "reject", match } };
}
